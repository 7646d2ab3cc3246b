// How processes end, what the garbage collector may take, and threads: each in a process or thread of its own.
// `npm test` compiles the programs first.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { context, Pair } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { bound, endpoint, opened, TRANSPORTS, text } from "./harness.js";

const PROGRAMS = fileURLToPath(new URL("../../.build/test/sockets/programs.js", import.meta.url));
const run = promisify(execFile);

/** What a program prints. Rejects unless it ends by itself, with 0 and without a word of complaint. */
async function printed(name: string): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, ["--expose-gc", PROGRAMS, name], {
    timeout: 20_000,
  });
  expect(stderr).toBe("");
  return stdout.trimEnd();
}

/** A program in a thread of this process: what it posts first, and what last. */
function started(name: string, address = "") {
  const worker = new Worker(PROGRAMS, { workerData: [name, address] });
  const posted: unknown[] = [];
  const first = new Promise((resolve) => worker.once("message", resolve));
  const last = new Promise((resolve, reject) => {
    worker.on("message", (message) => posted.push(message));
    worker.on("error", reject);
    worker.on("exit", (code) =>
      code === 0 ? resolve(posted.at(-1)) : reject(new Error(`exit code ${code}`)),
    );
  });
  return { first, last };
}

/** What a program posts that runs in a thread of this process. */
const posted = (name: string, address?: string): Promise<unknown> => started(name, address).last;

describe("a process ends by itself", () => {
  it.each([
    ["closed sockets", ""],
    ["open sockets", ""],
    ["sockets that admit by challenge", "1"],
    ["a send that nobody waits for", ""],
    ["a send that was given up", "EAGAIN"],
    ["a receive that ends with its socket", "ended"],
    ["events until close", "end"],
    ["a message that is still on its way", "received 100"],
  ])("with %s", async (name, expected) => {
    expect(await printed(name)).toBe(expected);
  });
});

describe("a process does not end under", () => {
  it.each(["a send that waits", "a receive that waits"])("%s", async (name) => {
    expect(await printed(name)).toBe("still there");
  });
});

describe("the garbage collector", () => {
  it.each([
    ["a socket nobody holds", "socket gone: true\nits name is free"],
    ["a context nobody holds", "context gone: true"],
    ["the frames of a message nobody holds", "frames gone: true"],
  ])("takes %s", async (name, expected) => {
    expect(await printed(name)).toBe(expected);
  });

  it("leaves a socket that somebody waits on", async () => {
    expect(await printed("a socket that somebody waits on")).toBe("still held");
  });
});

describe("threads", () => {
  it("share zeromq's context", async () => {
    const before = context.ioThreads;
    context.ioThreads = before + 2;
    expect(await posted("shared context")).toBe(before + 2);
    context.ioThreads = before;
  });

  it("may each have a signer of the same name", async () => {
    expect(await Promise.all([posted("same name"), posted("same name")])).toEqual([false, false]);
  });

  describe.each(TRANSPORTS)("over %s", (transport) => {
    it("sockets within one thread", async () => {
      expect(await posted("pair within", endpoint(transport))).toEqual([
        "there",
        "body",
        expect.stringMatching(/^right~t\d+$/),
      ]);
    });

    it("between this thread and another", async () => {
      const key = Buffer.from("a key for tests, known to everyone here");
      const pair = opened(new Pair({ linger: 0, signing: { key, sender: "main" } }));
      const thread = posted("echo one", await bound(pair, transport));
      expect(text(await pair.receive())).toEqual(["ready"]);
      await pair.send("hello");
      const answer = await pair.receive();
      expect([text(answer), answer.origin.sender]).toEqual([
        ["hello"],
        expect.stringMatching(/^thread~t\d+$/),
      ]);
      expect(await thread).toBe("main");
    });

    it("between two threads, through a plain broker in a third", async () => {
      const proxy = new zmq.Proxy(new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 }));
      const front = await bound(proxy.frontEnd, transport);
      const back = await bound(proxy.backEnd, transport);
      const running = proxy.run();
      // A request that was signed before the REP began would be refused: it could be an old recording.
      const answering = started("answer three", back);
      await answering.first;
      expect(await posted("ask three", front)).toEqual(["one", "two", "three"]);
      expect(await answering.last).toBe(3);
      proxy.terminate();
      await running;
    });
  });
});
