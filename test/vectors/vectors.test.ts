// The product agrees with the vectors, and making them again gives the same bytes.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { expand, extract } from "../../src/keys/hkdf.js";
import { REASONS } from "../../src/reasons.js";
import { vectorFiles } from "./files.js";
import type { DerivationFile, MemoryFile, MemoryVector, Vector, VectorFile } from "./format.js";
import { receiverOf } from "./receiver.js";
import { memoryOf } from "./remembering.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const read = (name: string) => readFileSync(folder + name, "utf8");

describe("making the vectors again", () => {
  const made = new Map(vectorFiles());
  it("makes the same files", () => expect([...made.keys()].sort()).toEqual([...names].sort()));
  it.each(names)("gives %s byte for byte", (name) => expect(made.get(name) === read(name)).toBe(true));
});

describe("derivations.json", () => {
  const { derivations } = JSON.parse(read("derivations.json")) as DerivationFile;
  it.each(derivations)("$name", (step) => {
    const prk = extract(Buffer.from(step.secret, "hex"));
    const hex = (prk: Uint8Array, label: string, ...args: string[]) =>
      expand(prk, label, ...args).toString("hex");
    const bytes = (text: string) => Buffer.from(text, "hex");
    expect({
      prk: prk.toString("hex"),
      keyId: hex(prk, "key id").slice(0, 8),
      senderKey: hex(prk, "sender", step.sender),
      channelKey: hex(bytes(step.senderKey), "channel", step.channel),
      streamKey: hex(bytes(step.senderKey), "publish", step.channel),
      recipientsSenderKey: hex(prk, "sender", step.recipient),
      recipientKey: hex(bytes(step.recipientsSenderKey), "to", step.sender, step.channel),
    }).toEqual({
      prk: step.prk,
      keyId: step.keyId,
      senderKey: step.senderKey,
      channelKey: step.channelKey,
      streamKey: step.streamKey,
      recipientsSenderKey: step.recipientsSenderKey,
      recipientKey: step.recipientKey,
    });
  });
});

describe("challenge.json", () => {
  const { memories } = JSON.parse(read("challenge.json")) as MemoryFile;
  it("names each vector once", () => {
    expect(new Set(memories.map(({ name }) => name)).size).toBe(memories.length);
  });
  it.each(memories)("$name", (memory: MemoryVector) => {
    expect(memory.steps.length).toBeGreaterThan(0);
    expect(memory.steps.map(memoryOf(memory))).toEqual(memory.steps);
  });
});

const OTHERWISE = ["derivations.json", "challenge.json"];
for (const name of names.filter((name) => !OTHERWISE.includes(name))) {
  const { vectors } = JSON.parse(read(name)) as VectorFile;
  describe(name, () => {
    it("names each vector once", () => {
      expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
    });
    it.each(vectors)("$name", ({ keys, receiver, messages }: Vector) => {
      const arrive = receiverOf(keys, receiver);
      expect(messages.length).toBeGreaterThan(0);
      expect(messages.map(arrive)).toEqual(messages.map(({ expect }) => expect));
    });
  });
}

it("gives every reason that a verifier can give", () => {
  const text = names.map(read).join("");
  const told = new Set([...text.matchAll(/"(?:reason|gives)": "([a-z-]+)"/g)].map(([, reason]) => reason));
  for (const ruling of ["begun", "new", "late"]) expect(told.delete(ruling)).toBe(true);
  // Of bodies, of a medium that fails, and of what a REQ's socket makes of a challenge.
  const behindTheVerifier = ["undecodable", "invalid", "state-unavailable", "challenged"];
  const ofJupyter = ["wrong-channel", "wrong-recipient", "wrong-topic", "bad-buffers", "not-hardened"];
  const others = [...behindTheVerifier, ...ofJupyter];
  expect([...told].sort()).toEqual(
    Object.keys(REASONS)
      .filter((reason) => !others.includes(reason))
      .sort(),
  );
});
