// Vectors of memories under admission by challenge (docs/wire.md, section 8.6): who is asked, what an answer begins, and what
// passes then. Nonces come from chance, so they have names here.

import type { MemoryVector, Step } from "./format.js";

const E = 1_750_000_000_000_000;
/** A later epoch. */
const F = E + 1_000_000;

const ask = (stream: string, nonce: string): Step => ({ ask: stream, nonce });
const answered = (
  stream: string,
  nonce: string,
  epoch: number,
  reached: number,
  gives: Extract<Step, { answered: string }>["gives"] = "begun",
): Step => ({ answered: stream, nonce, epoch, reached, gives });
const begin = (
  stream: string,
  epoch: number,
  reached: number,
  gives: Extract<Step, { begin: string }>["gives"] = "begun",
): Step => ({ begin: stream, epoch, reached, gives });
const claim = (
  stream: string,
  epoch: number,
  sequence: number,
  gives: Extract<Step, { claim: unknown }>["gives"],
  more: object = {},
): Step => ({ claim: { stream, epoch, sequence, ...more }, gives });
const known = (stream: string, gives: number): Step => ({ known: stream, gives });

export function memories(): MemoryVector[] {
  return [
    {
      name: "nothing-is-live-before-its-sender-answered",
      steps: [
        claim("alice", E, 1, "not-live"),
        known("alice", 0),
        ask("alice", "n"),
        claim("alice", E, 2, "not-live"),
        answered("alice", "n", E, 2),
        claim("alice", E, 1, "replayed"),
        claim("alice", E, 2, "replayed"),
        claim("alice", E, 3, "new"),
        claim("alice", E, 3, "replayed"),
        known("alice", E),
      ],
    },
    {
      name: "with-a-window-it-starts-closed-below-what-was-reached",
      window: 64,
      steps: [
        ask("alice", "n"),
        answered("alice", "n", E, 10),
        claim("alice", E, 10, "below-window"),
        claim("alice", E, 13, "new"),
        claim("alice", E, 11, "late"),
        claim("alice", E, 12, "late"),
        claim("alice", E, 11, "replayed"),
        claim("alice", E, 9, "below-window"),
      ],
    },
    {
      name: "a-nonce-stays-until-it-is-answered-and-is-good-once",
      steps: [
        ask("alice", "n"),
        ask("alice", "n"),
        ask("bob", "m"),
        answered("bob", "n", E, 0, "unasked"),
        answered("carol", "n", E, 0, "unasked"),
        answered("alice", "m", E, 0, "unasked"),
        answered("alice", "n", E, 0),
        answered("alice", "n", E, 0, "unasked"),
        ask("alice", "o"),
        answered("alice", "n", E, 9, "unasked"),
        answered("alice", "o", E, 9),
        answered("bob", "m", E, 0),
        claim("alice", E, 1, "new"),
        claim("bob", E, 1, "new"),
      ],
    },
    {
      name: "an-answer-neither-lowers-nor-raises-what-is-known",
      steps: [
        ask("alice", "n"),
        answered("alice", "n", E, 0),
        claim("alice", E, 1, "new"),
        claim("alice", E, 2, "new"),
        ask("alice", "o"),
        answered("alice", "o", E, 1),
        claim("alice", E, 2, "replayed"),
        ask("alice", "p"),
        answered("alice", "p", E, 7),
        claim("alice", E, 3, "new"),
      ],
    },
    {
      name: "a-later-epoch-begins-and-an-earlier-one-does-not",
      steps: [
        begin("alice", E, 0),
        claim("alice", E, 1, "new"),
        claim("alice", F, 1, "not-live"),
        ask("alice", "n"),
        answered("alice", "n", F, 1),
        known("alice", F),
        claim("alice", E, 2, "stale-epoch"),
        claim("alice", F, 1, "replayed"),
        claim("alice", F, 2, "new"),
        ask("alice", "o"),
        answered("alice", "o", E, 2, "stale-epoch"),
        answered("alice", "o", F, 2, "unasked"),
        begin("alice", E, 2, "stale-epoch"),
        claim("alice", F, 3, "new"),
      ],
    },
    {
      name: "a-batch-is-above-what-was-reached-as-a-whole",
      steps: [
        begin("alice", E, 3),
        claim("alice", E, 3, "replayed", { count: 4 }),
        claim("alice", E, 4, "new", { count: 4 }),
        claim("alice", E, 7, "replayed"),
        claim("alice", E, 8, "new"),
      ],
    },
    {
      name: "what-answers-the-receiver-itself-is-live",
      steps: [
        claim("server", E, 5, "new", { live: true }),
        claim("server", E, 5, "replayed", { live: true }),
        claim("server", E, 6, "new"),
      ],
    },
    {
      name: "an-answer-held-back-until-its-stream-was-forgotten",
      streams: 1,
      steps: [
        begin("alice", E, 0),
        ask("alice", "n"),
        claim("alice", E, 1, "new"),
        begin("bob", E, 0),
        known("alice", 0),
        answered("alice", "n", E, 0, "unasked"),
        claim("alice", E, 1, "not-live"),
        ask("alice", "o"),
        answered("alice", "o", E, 1),
        claim("alice", E, 1, "replayed"),
        claim("alice", E, 2, "new"),
      ],
    },
    {
      name: "an-answer-held-back-until-a-key-was-revoked",
      steps: [
        begin("alice", E, 0),
        ask("alice", "n"),
        claim("alice", E, 1, "new", { keyId: 7 }),
        { revoke: 7 },
        answered("alice", "n", E, 0, "unasked"),
        claim("alice", E, 1, "not-live"),
      ],
    },
    ...afterAnUncleanStop(),
  ];
}

function afterAnUncleanStop(): MemoryVector[] {
  const found = [{ stream: "alice", epoch: E, last: 100, certain: false }];
  return [
    {
      name: "what-an-earlier-run-is-known-to-have-heard",
      found: [{ stream: "alice", epoch: E, last: 100, certain: true }],
      steps: [known("alice", E), claim("alice", E, 100, "replayed"), claim("alice", E, 101, "new")],
    },
    {
      name: "what-an-earlier-run-may-have-heard-needs-an-answer",
      found,
      steps: [
        known("alice", E),
        claim("alice", E, 60, "not-live"),
        claim("alice", E, 100, "not-live"),
        ask("alice", "n"),
        answered("alice", "n", E, 60),
        claim("alice", E, 60, "replayed"),
        claim("alice", E, 61, "new"),
        claim("alice", E, 101, "new"),
        claim("alice", E, 62, "replayed"),
      ],
    },
    {
      name: "what-lies-above-it-does-not-and-ends-the-doubt",
      found,
      steps: [
        claim("alice", E, 101, "new"),
        claim("alice", E, 60, "replayed"),
        claim("alice", E, 102, "new"),
        ask("alice", "n"),
        answered("alice", "n", E, 60),
        claim("alice", E, 61, "replayed"),
        claim("alice", E, 103, "new"),
      ],
    },
    {
      name: "and-with-a-window-it-starts-closed-there",
      window: 64,
      found,
      steps: [
        claim("alice", E, 99, "not-live"),
        claim("alice", E, 102, "new"),
        claim("alice", E, 101, "below-window"),
        claim("alice", E, 99, "below-window"),
        claim("alice", E, 103, "new"),
      ],
    },
    {
      name: "an-epoch-that-was-begun-and-not-heard",
      found: [{ stream: "alice", epoch: E, last: 0, certain: false }],
      steps: [
        ask("alice", "n"),
        answered("alice", "n", E, 5),
        claim("alice", E, 5, "replayed"),
        claim("alice", E, 6, "new"),
      ],
    },
    {
      name: "an-earlier-epoch-than-what-is-in-doubt",
      found,
      steps: [
        claim("alice", E - 1, 5, "stale-epoch"),
        begin("alice", E - 1, 5, "stale-epoch"),
        claim("alice", F, 5, "not-live"),
        begin("alice", F, 4),
        claim("alice", F, 5, "new"),
        claim("alice", E, 101, "stale-epoch"),
      ],
    },
  ];
}
