// A client of kernel.ts: starts it in a process of its own, has it run cells, and shows results and output.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Dealer, exportJwks, generateKey, Keyring, readKeyring, Subscriber } from "countersign";

const folder = mkdtempSync(join(tmpdir(), "kernel-"));
const keyFile = join(folder, "keys.json");
writeFileSync(keyFile, JSON.stringify(exportJwks(new Keyring([generateKey()]))), { mode: 0o600 });

const kernel = fork(fileURLToPath(new URL("./kernel.js", import.meta.url)), [keyFile]);
const [address] = (await once(kernel, "message")) as [{ shell: string; iopub: string }];

const key = readKeyring(keyFile);
const shell = new Dealer({ signing: { key, sender: "alice", channel: "shell", to: "kernel" } });
const iopub = new Subscriber({ signing: { key, channel: "iopub" } });
shell.connect(address.shell);
iopub.connect(address.iopub);
iopub.subscribe("stream.alice");
await sleep(200); // let the subscription arrive

for (const code of ["let x = 20; x + 1", 'print("twice " + x); x * 2', "nonsense("]) {
  await shell.send(code);
  const [reply] = await shell.receive();
  console.log(`In : ${code}\n${reply}`);
}
const [, output] = await iopub.receive();
console.log(`iopub: ${output}`);

await shell.send("exit");
await once(kernel, "exit");
shell.close();
iopub.close();
rmSync(folder, { recursive: true });
