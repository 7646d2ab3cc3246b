// GNU SASL, as client and as server of the plain form of RFC 5802.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  type AnyRole,
  mintVerifier,
  type Proven,
  plainScramClient,
  plainScramServer,
} from "countersign/handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import { findProgram, found, mayBeMissing } from "./peers.js";

const gsasl = findProgram("/usr/bin/gsasl", "/usr/local/bin/gsasl");
const CONTEXT = { theirs: Buffer.alloc(0), ours: Buffer.alloc(0), client: "client", random: randomBytes };

/** A gsasl that speaks one line of base64 a message; hears `undefined` once it has ended. */
function peer(role: "--client" | "--server", user: string, password: string) {
  const args = [role, "--mechanism", "SCRAM-SHA-256", "--no-cb", "-a", user, "-p", password];
  const child = spawn(found(gsasl), args, { stdio: ["pipe", "pipe", "pipe"] });
  let told = "";
  child.stderr.on("data", (text) => {
    told += text;
  });
  onTestFinished(() => void child.kill());
  child.stdin.on("error", () => {});
  const ended = once(child, "close");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    say: (message: Buffer) => child.stdin.write(`${message.toString("base64")}\n`),
    async hear(): Promise<Buffer | undefined> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) return undefined;
        if (value !== "" && value !== "SCRAM-SHA-256" && !value.includes(" "))
          return Buffer.from(value, "base64");
      }
    },
    /** Its own word on the other end. */
    async trusts(): Promise<boolean> {
      // It asks once more, whether there is anything behind the end.
      child.stdin.end("\n");
      await ended;
      return /authentication finished \((?:client|server) trusted\)/.test(told);
    },
  };
}

async function talk(role: AnyRole<Proven>, other: ReturnType<typeof peer>, begins: boolean): Promise<string> {
  let state = role.initial;
  let received: Buffer | undefined = begins ? Buffer.alloc(0) : await other.hear();
  while (received !== undefined) {
    const step = await role.step(state, received, CONTEXT);
    state = step.state;
    if (step.send !== undefined) other.say(step.send);
    if (step.error !== undefined) return step.error;
    if (step.done !== undefined) return step.done.user;
    received = await other.hear();
  }
  return "it ended";
}

describe.skipIf(mayBeMissing(gsasl))("GNU SASL", () => {
  test.each([
    ["pencil", "user"],
    ["wrong", "bad-proof"],
  ])("as client, with the password %s", async (password, outcome) => {
    const users = { user: await mintVerifier("pencil", { iterations: 4096 }) };
    const client = peer("--client", "user", password);
    expect(await talk(plainScramServer({ users }), client, false)).toBe(outcome);
    expect(await client.trusts()).toBe(outcome === "user");
  });

  test.each([
    ["pencil", "user"],
    ["wrong", "it ended"],
  ])("as server, with the password %s", async (password, outcome) => {
    const server = peer("--server", "user", "pencil");
    expect(await talk(plainScramClient({ user: "user", password }), server, true)).toBe(outcome);
    expect(await server.trusts()).toBe(outcome === "user");
  });
});
