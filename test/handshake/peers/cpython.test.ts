// CPython's multiprocessing.connection itself, both roles, right and wrong keys, and what it falls to.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type CPythonRole, cpython, type Failure, type Unkeyed } from "countersign/handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import * as zmq from "zeromq";
import { opened } from "../../sockets/harness.js";
import { findPythons, found, mayBeMissing, type Python } from "./peers.js";

const program = fileURLToPath(new URL("cpython.py", import.meta.url));
const pythons = findPythons();
const debian = pythons.find(({ path }) => path === "/usr/bin/python3");
const KEY = "secret";

/** The messages of a byte transport: `!i` length, then the bytes. */
class Pipe {
  readonly #socket: Socket;
  readonly #messages: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#messages = messagesOf(socket);
    onTestFinished(() => void socket.destroy());
  }

  send(message: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeInt32BE(message.length);
    this.#socket.write(Buffer.concat([length, message]));
  }

  async receive(): Promise<Buffer> {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error("the other end has closed");
    return value;
  }
}

async function* messagesOf(socket: Socket): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const bytes of socket) {
    held = Buffer.concat([held, bytes as Buffer]);
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const end = 4 + held.readInt32BE(0);
      yield held.subarray(4, end);
      held = held.subarray(end);
    }
  }
}

interface Carrier {
  send(message: Buffer): unknown;
  receive(): Promise<Buffer>;
}

/** Runs a role over a carrier to its end. */
async function run(role: CPythonRole, carrier: Carrier, asksFirst: boolean): Promise<Unkeyed | Failure> {
  let state = role.initial;
  let received: Buffer = asksFirst ? Buffer.alloc(0) : await carrier.receive();
  for (;;) {
    const step = role.step(state, received, { random: randomBytes });
    state = step.state;
    if (step.send !== undefined) await carrier.send(step.send);
    if (step.done !== undefined) return step.done;
    if (step.error !== undefined) return step.error;
    received = await carrier.receive();
  }
}

function python({ path }: Python, ...args: string[]) {
  const child = spawn(path, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async () => (await lines.next()).value as string;
}

async function listening(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer(onConnection);
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const DONE = { session: undefined, mutual: true };

test.skipIf(mayBeMissing(debian))("Debian's Python is there", () =>
  expect(found(debian).dialect).toBe("md5"),
);

describe.each(pythons)("Python $version ($dialect)", (peer) => {
  const { dialect } = peer;

  test.each([
    [KEY, "ok", DONE],
    ["another", "AuthenticationError", "refused"],
  ])("as listener, with the key %s", async (key, theirs, ours) => {
    const said = python(peer, "listener", key);
    const socket = connect(Number(await said()), "127.0.0.1");
    const done = run(cpython({ key: Buffer.from(KEY), dialect }).client(), new Pipe(socket), false);
    expect(await done.catch((error: Error) => error.message)).toEqual(ours);
    expect(await said()).toBe(theirs);
  });

  test.each([
    [KEY, "ok", DONE],
    ["another", "AuthenticationError", "bad-proof"],
  ])("as client, with the key %s", async (key, theirs, ours) => {
    let done: Promise<unknown> | undefined;
    const port = await listening((socket) => {
      done = run(cpython({ key: Buffer.from(KEY), dialect }).listener(), new Pipe(socket), true);
    });
    const said = python(peer, "client", key, String(port));
    expect(await said()).toBe(theirs);
    expect(await done).toEqual(ours);
  });

  test("attack 51: falls to a server without the key, that reflects its challenge on another connection", async () => {
    const pipes: Pipe[] = [];
    let complete!: () => void;
    const both = new Promise<void>((resolve) => {
      complete = resolve;
    });
    const port = await listening((socket) => {
      if (pipes.push(new Pipe(socket)) === 2) complete();
    });
    const said = python(peer, "twice", KEY, String(port));
    await both;
    const [victim, oracle] = pipes as [Pipe, Pipe];
    const challenge = Buffer.alloc(dialect === "md5" ? 20 : 40, 7);
    victim.send(Buffer.concat([Buffer.from(`#CHALLENGE#${dialect === "md5" ? "" : "{sha256}"}`), challenge]));
    await victim.receive();
    victim.send(Buffer.from("#WELCOME#"));
    const theirs = await victim.receive();
    // The victim's own process answers what the victim asks.
    oracle.send(theirs);
    victim.send(await oracle.receive());
    expect((await victim.receive()).toString()).toBe("#WELCOME#");
    expect(await said()).toBe("ok");
  });
});

test("attack 51: our client does not answer what it asked itself on another connection", async () => {
  const roles = cpython({ key: Buffer.from(KEY) });
  const [victim, oracle] = [roles.client(), roles.client()];
  const context = { random: randomBytes };
  const first = Buffer.from(`#CHALLENGE#{sha256}${"x".repeat(40)}`);
  const answered = victim.step(victim.initial, first, context);
  const asked = victim.step(answered.state, Buffer.from("#WELCOME#"), context);
  expect(oracle.step(oracle.initial, asked.send as Buffer, context)).toMatchObject({ error: "reflected" });
});

const withZmq = pythons.find(({ path }) => {
  try {
    execFileSync(path, ["-c", "import zmq"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(mayBeMissing(withZmq))("over ZeroMQ, one frame a message", async () => {
  const peer = found(withZmq);
  const said = python(peer, "zmq", KEY);
  const socket = opened(new zmq.Pair({ linger: 0 }));
  socket.connect(`tcp://127.0.0.1:${await said()}`);
  const carrier = {
    send: (message: Buffer) => socket.send(message),
    receive: async () => (await socket.receive())[0] as Buffer,
  };
  const role = cpython({ key: Buffer.from(KEY), dialect: peer.dialect }).client();
  expect(await run(role, carrier, false)).toEqual(DONE);
  expect(await said()).toBe("ok");
});
