// Captured messages for the tests of inspect: signed by real signers, seen where their receivers see them.

import {
  type ControlBody,
  Key,
  Keyring,
  type Kind,
  Origin,
  Signer,
  type SignerOptions,
  Verifier,
} from "../../src/core.js";
import { syncTopic } from "../../src/wire/control.js";
import type { Pattern } from "../../src/wire/patterns.js";

/** A master key that every test shares, so that its id is the same everywhere. */
export const KEY = new Key(
  Buffer.from("7f2c8a51d03be94466170fa3c2d8e5b7901b4c6d2e3f405162738495a6b7c8d9", "hex"),
);
/** A ring that holds it. */
export const KEYRING = new Keyring([KEY]);

/** Frames as a capture of one frame a line. */
export function lines(frames: readonly Uint8Array[]): string {
  return `${frames.map((frame) => (frame.length === 0 ? '""' : Buffer.from(frame).toString("hex"))).join("\n")}\n`;
}

/** A signer with a stream of its own. */
export function signer(pattern: Pattern, options: Partial<SignerOptions> = {}): Signer {
  return new Signer({ key: KEYRING, pattern, sender: "alice", channel: "shell", ...options });
}

/** One message signed and its signer closed again. */
export function signed(
  pattern: Pattern,
  message: readonly (string | Buffer | null)[],
  options: Partial<SignerOptions> = {},
  to?: string,
): Buffer[] {
  const once = signer(pattern, options);
  const frames = once.sign(message, to === undefined ? {} : { to });
  once.close();
  return frames;
}

const ID = Buffer.from("006b8b4567", "hex");

/** A request of "bob" as its receiver sees it, its tag, and the answer of `answering` as `bob` sees it. */
export function conversation(answering: "rep" | "router") {
  const asking = signer("req", { sender: "bob" });
  const request = asking.sign("what?");
  let now = asking.epoch - 1;
  const verifier = new Verifier({
    key: KEYRING,
    pattern: answering,
    channel: "shell",
    sender: "alice",
    clock: () => now,
  });
  now = Date.now() * 1000;
  const seen = answering === "rep" ? request : [ID, Buffer.alloc(0), ...request];
  const verdict = verifier.verify(seen);
  if (!verdict.ok || !(verdict.origin instanceof Origin)) throw new Error("the request does not verify");
  const answerer = signer(answering);
  const answer = answerer.sign(answering === "rep" ? "that" : [ID, null, "that"], { to: verdict.origin });
  const tag = asking.requestTag as Buffer;
  asking.close();
  answerer.close();
  return { seen, tag, answer: answering === "rep" ? answer : answer.slice(2) };
}

/** What each kind of socket receives, by name: frames as the application or the wire has them. */
export function received(): Record<string, { frames: Buffer[]; pattern: Pattern; args?: string[] }> {
  const detached = { limits: { inline: 0 } };
  const rep = conversation("rep");
  const router = conversation("router");
  const batch = signer("push");
  const batched = batch.signBatch(["one", ["two", "parts"], "three"]);
  batch.close();
  return {
    "DEALER to ROUTER": { frames: [ID, ...signed("dealer", ["hello"])], pattern: "router" },
    "DEALER to ROUTER, on the wire": { frames: signed("dealer", ["hello"]), pattern: "router" },
    "DEALER to ROUTER, delimited": { frames: [ID, ...signed("dealer", [null, "hello"])], pattern: "router" },
    "DEALER to ROUTER, detached": {
      frames: [ID, ...signed("dealer", ["hello", "", "there"], detached)],
      pattern: "router",
    },
    "DEALER to ROUTER through two brokers": {
      frames: [ID, Buffer.from("b1"), Buffer.from("b2"), ...signed("dealer", ["hello"])],
      pattern: "router",
    },
    "DEALER to REP": { frames: signed("dealer", [null, "hello"]).slice(1), pattern: "router" },
    "ROUTER to DEALER": {
      frames: signed("router", [ID, "hello"], {}, "bob").slice(1),
      pattern: "dealer",
      args: ["--sender", "bob"],
    },
    "ROUTER to ROUTER": {
      frames: signed("router", [ID, "hello"], {}, "bob"),
      pattern: "dealer",
      args: ["--sender", "bob"],
    },
    "REQ to ROUTER": { frames: router.seen, pattern: "router" },
    "REQ to REP": { frames: rep.seen, pattern: "rep" },
    "REP to REQ": {
      frames: rep.answer,
      pattern: "req",
      args: ["--sender", "bob", "--request-tag", rep.tag.toString("hex")],
    },
    "REP to REQ, on the wire": {
      frames: [Buffer.alloc(0), ...rep.answer],
      pattern: "req",
      args: ["--sender", "bob", "--request-tag", rep.tag.toString("hex")],
    },
    "ROUTER to REQ": {
      frames: router.answer,
      pattern: "req",
      args: ["--sender", "bob", "--request-tag", router.tag.toString("hex")],
    },
    "REP to DEALER": {
      frames: [Buffer.alloc(0), ...signed("rep", ["hello"], {}, "bob")],
      pattern: "dealer",
      args: ["--sender", "bob"],
    },
    "PUB to SUB": { frames: signed("pub", ["topic", "hello"]), pattern: "sub" },
    "PUB to SUB, detached": { frames: signed("pub", ["topic", "hello"], detached), pattern: "sub" },
    "PUB to SUB, all topic": { frames: signed("pub", ["topic"], detached), pattern: "sub" },
    "XPUB to SUB, empty topic": { frames: signed("xpub", ["", "hello"]), pattern: "sub" },
    "XSUB to XPUB": { frames: signed("xsub", ["hello"]), pattern: "xpub" },
    "PUSH to PULL": { frames: signed("push", ["hello"]), pattern: "pull" },
    "PUSH to PULL, detached": { frames: signed("push", ["hello"], detached), pattern: "pull" },
    "PUSH to PULL, a batch": { frames: batched, pattern: "pull" },
    "PAIR to PAIR": { frames: signed("pair", ["hello", Buffer.alloc(100_000)]), pattern: "pair" },
  };
}

const nonce = (byte: number) => Buffer.alloc(16, byte);

/** Control messages, by name, as their receivers see them. */
export function receivedControl() {
  const said = (
    pattern: Pattern,
    kind: Kind,
    body: Partial<ControlBody>,
    routing: readonly Buffer[] = [],
    to?: string,
  ): Buffer[] => {
    const once = signer(pattern);
    once.sign(pattern === "pub" ? ["topic", "x"] : pattern === "router" ? [ID, "x"] : "x", {
      to: to ?? null,
    });
    const full = { answer: Buffer.alloc(16), ask: Buffer.alloc(16), known: 0, ...body };
    const frames = once.signControl(kind, full, routing, { to: to ?? null });
    once.close();
    return frames;
  };
  const bob = ["--sender", "bob"];
  const known = 1_738_310_400_123_456;
  return {
    dealer: {
      frames: [ID, ...said("dealer", "hello", { ask: nonce(0xa1) })],
      pattern: "router" as const,
      args: [] as string[],
      summary: "asks whoever is there",
    },
    router: {
      frames: said(
        "router",
        "challenge",
        { answer: nonce(0xa1), ask: nonce(0xb2), known },
        [ID],
        "bob",
      ).slice(1),
      pattern: "dealer" as const,
      args: bob,
      summary: "answers a hello, and asks",
    },
    suspicious: {
      frames: said("router", "challenge", { ask: nonce(0xb2) }, [ID], "bob").slice(1),
      pattern: "dealer" as const,
      args: bob,
      summary: "asks for evidence that its receiver is live",
    },
    twin: {
      frames: said("router", "challenge", { known }, [ID], "bob").slice(1),
      pattern: "dealer" as const,
      args: bob,
      summary: "tells of a later start under this name",
    },
    pair: {
      frames: said("pair", "echo", { answer: nonce(0xb2) }),
      pattern: "pair" as const,
      args: [],
      summary: "answers",
    },
    asking: {
      frames: said("pair", "echo", { answer: nonce(0xb2), ask: nonce(0xc3) }),
      pattern: "pair" as const,
      args: [],
      summary: "answers, and asks",
    },
    silent: {
      frames: [Buffer.alloc(0), ...said("rep", "echo", {}, [], "bob")],
      pattern: "dealer" as const,
      args: bob,
      summary: "says nothing, to whoever cannot go on without an answer",
    },
    publisher: {
      frames: said("pub", "sync", { answer: nonce(0xd4) }, [syncTopic(nonce(0xd4))]),
      pattern: "sub" as const,
      args: [],
      summary: "answers a subscriber",
    },
  };
}
