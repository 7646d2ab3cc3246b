// jupyter_client of Debian over real sockets: what it sends is verified here, what we send is verified there, and nothing
// is changed on the way: 10,000 random messages each way, hardened and not. COUNTERSIGN_MANY=100 sends fewer.

import assert from "node:assert/strict";
import { JupyterSocket, Session, type SessionOptions } from "countersign/jupyter";
import { afterEach, describe, expect, it } from "vitest";
import { JupyterClientPeer, noJupyterClient, type Order } from "./peer.js";
import { Roll } from "./random.js";

const KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
const MANY = Number(process.env.COUNTERSIGN_MANY ?? 10_000);
const SOME = 300;
const PIPELINED = 100;
const OPTIONS = { receiveTimeout: 30_000, sendHighWaterMark: 0, receiveHighWaterMark: 0 };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
function opened<Closes extends { close(): void }>(closes: Closes): Closes {
  closers.push(() => closes.close());
  return closes;
}

async function kernelShell(options: SessionOptions): Promise<[Session, JupyterSocket]> {
  const session = opened(new Session({ key: KEY, role: "kernel", ...options }));
  const shell = opened(new JupyterSocket(session, "shell", OPTIONS));
  await shell.bind("tcp://127.0.0.1:*");
  return [session, shell];
}

const peerOf = (shell: JupyterSocket, order: Omit<Order, "address" | "key">, key = KEY) =>
  opened(new JupyterClientPeer({ address: shell.lastEndpoint as string, key, ...order }));

/** Sends random messages to whoever speaks first, who sends each back; all must come back as they were. */
async function speak(kernel: Session, shell: JupyterSocket, count: number, roll: Roll): Promise<void> {
  const peer = await shell.receive();
  const waiting: object[] = [];
  for (let n = 0; n < count + PIPELINED; n++) {
    if (n < count) {
      const [content, metadata, buffers] = [roll.dict(), roll.dict(), roll.buffers()];
      const message = kernel.message("comm_msg", content, { metadata, buffers });
      waiting.push({ parent_header: { msg_id: message.header.msg_id }, content, metadata, buffers });
      await shell.send(message, peer);
    }
    if (n < PIPELINED || waiting.length === 0) continue;
    const { content, metadata, buffers, parent_header } = await shell.receive();
    const came = { parent_header: { msg_id: parent_header.msg_id }, content, metadata, buffers };
    assert.deepEqual(came, waiting.shift());
  }
}

/** Sends back what comes. */
async function echo(kernel: Session, shell: JupyterSocket, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const received = await shell.receive();
    const { content, metadata, buffers } = received;
    await shell.send(kernel.message("comm_msg", content, { parent: received, metadata, buffers }), received);
  }
}

const CASES: [string, SessionOptions, Omit<Order, "address" | "key" | "role">][] = [
  [`json, hmac-sha256, plain, ${MANY}`, { harden: false }, { count: MANY }],
  [`json, hmac-sha256, hardened, ${MANY}`, {}, { count: MANY }],
  ["msgpack, hmac-sha256, plain", { harden: false, packer: "msgpack" }, { count: SOME, packer: "msgpack" }],
  ["msgpack, hmac-sha256, hardened", { packer: "msgpack" }, { count: SOME, packer: "msgpack" }],
  ...["md5", "sha1", "sha512", "sha3_256", "blake2b", "blake2s"].map((hash): (typeof CASES)[number] => [
    `json, hmac-${hash}, hardened`,
    { scheme: `hmac-${hash}` },
    { count: SOME, scheme: `hmac-${hash}` },
  ]),
];

describe.skipIf(noJupyterClient)("jupyter_client (python3-jupyter-client)", { timeout: 300_000 }, () => {
  it.each(CASES)("%s: ours verified there, and what it makes of them here", async (_, options, order) => {
    const [kernel, shell] = await kernelShell(options);
    const peer = peerOf(shell, { role: "echo", ...order });
    await speak(kernel, shell, order.count as number, new Roll(7, false));
    expect(await peer.line()).toEqual({ echoed: order.count });
    expect(shell.stats).toMatchObject({ accepted: (order.count as number) + 1, sent: order.count });
    expect(Object.values(shell.stats.rejected).every((count) => count === 0)).toBe(true);
  });

  it.each(CASES)("%s: its own verified here, and what we make of them there", async (_, options, order) => {
    const [kernel, shell] = await kernelShell(options);
    const peer = peerOf(shell, { role: "speak", seed: 11, ...order });
    await echo(kernel, shell, order.count as number);
    expect(await peer.line()).toEqual({ equal: order.count });
    expect(shell.stats).toMatchObject({ accepted: order.count, plain: order.count });
  });

  it("an empty key, both ends", async () => {
    const [kernel, shell] = await kernelShell({ key: undefined, unsigned: true });
    const peer = peerOf(shell, { role: "echo", count: SOME }, "");
    await speak(kernel, shell, SOME, new Roll(7, false));
    expect(await peer.line()).toEqual({ echoed: SOME });
    expect(shell.stats).toMatchObject({ accepted: 0, unsigned: SOME + 1 });
  });

  it("another key: refused here, and there", async () => {
    const [, shell] = await kernelShell({});
    peerOf(shell, { role: "speak", count: 3 }, "another key");
    shell.receive().catch(() => {});
    while (shell.stats.rejected["bad-signature"] < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe("two ends of this library", { timeout: 300_000 }, () => {
  it.each([
    ["hardened", {}],
    ["plain", { harden: false }],
    ["hardened, msgpack", { packer: "msgpack" }],
  ] as [string, SessionOptions][])(`%s: ${MANY} random messages there and back`, async (name, options) => {
    const [kernel, shell] = await kernelShell(options);
    const client = opened(new Session({ key: KEY, role: "client", ...options }));
    const dealer = opened(new JupyterSocket(client, "shell", OPTIONS));
    dealer.connect(shell.lastEndpoint as string);
    await dealer.send(client.message("comm_open"));
    const echoing = (async () => {
      for (let n = 0; n < MANY; n++) {
        const received = await dealer.receive();
        const { content, metadata, buffers } = received;
        await dealer.send(client.message("comm_msg", content, { parent: received, metadata, buffers }));
      }
    })();
    await speak(kernel, shell, MANY, new Roll(7, !name.includes("msgpack")));
    await echoing;
    expect(shell.stats).toMatchObject({
      accepted: MANY + 1,
      sent: MANY,
      plain: name === "plain" ? MANY + 1 : 0,
    });
    expect(dealer.stats).toMatchObject({ accepted: MANY, lost: 0 });
  });
});
