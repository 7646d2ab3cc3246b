// What this library says unasked never keeps a process that has closed its sockets.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Dealer, generateKey, Router } from "countersign";
import { psk } from "countersign/handshake";
import { expect, test } from "vitest";
import * as zmq from "zeromq";
import { opened, retired, vacant } from "./harness.js";

const INDEX = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
const HANDSHAKE = fileURLToPath(new URL("../../dist/handshake/index.js", import.meta.url));

test.each(["{ login: psk({ key }) }", '{ key, admit: "challenge" }'])(
  "a process ends when it closes a socket with %s whose server was never there",
  async (signing) => {
    const program = `
      import { Dealer, generateKey } from ${JSON.stringify(INDEX)};
      import { psk } from ${JSON.stringify(HANDSHAKE)};
      const key = generateKey();
      const dealer = new Dealer({ signing: ${signing} });
      dealer.connect("ipc:///tmp/countersign-nobody");
      dealer.send("for nobody").catch(() => {});
      setTimeout(() => dealer.close(), 300);
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("");
  },
);

test("what the application sent is waited for all the same", async () => {
  const [key, address] = [generateKey(), vacant()];
  const router = new Router({ linger: 0, signing: { accept: psk({ key }), sender: "server" } });
  await router.bind(address);
  const dealer = new Dealer({ signing: { login: psk({ key }), sender: "client" } });
  dealer.connect(address);
  await dealer.send("one");
  await router.receive();
  await retired(router, address);
  await dealer.send("two");
  dealer.close();
  const next = opened(new zmq.Router({ linger: 0 }));
  await next.bind(address);
  let heard = "";
  while (!heard.includes("two")) heard = String(Buffer.concat(await next.receive()));
});
