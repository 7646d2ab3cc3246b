// A kernel-style server: takes code on a signed shell channel, answers there, and publishes what the code prints on a
// signed iopub channel. Run with client.ts; the key file comes from `countersign keygen`.
import { createContext, runInContext } from "node:vm";
import { Publisher, Router, readKeyring } from "countersign";

const key = readKeyring(process.argv[2] as string);
const shell = new Router({ linger: 1000, signing: { key, sender: "kernel", channel: "shell" } });
const iopub = new Publisher({ linger: 1000, signing: { key, sender: "kernel", channel: "iopub" } });
await shell.bind("tcp://127.0.0.1:*");
await iopub.bind("tcp://127.0.0.1:*");
process.send?.({ shell: shell.lastEndpoint, iopub: iopub.lastEndpoint });

let cell = 0;
const printed: string[] = [];
const context = createContext({ print: (text: unknown) => printed.push(String(text)) });

for await (const request of shell) {
  const [client, code] = request as unknown as [Buffer, Buffer];
  if (String(code) === "exit") break;
  cell++;
  let reply: string;
  try {
    reply = `Out[${cell}]: ${runInContext(String(code), context, { timeout: 1000 })}`;
  } catch (error) {
    reply = `Error[${cell}]: ${(error as Error).message}`;
  }
  for (const text of printed.splice(0)) await iopub.send([`stream.${request.origin.sender}`, text]);
  await shell.send([client, reply]); // addressed to the name that was verified, and to nobody else
}
shell.close();
iopub.close();
