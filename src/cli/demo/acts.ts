// What the attacker tries, each with the one receiver that must notice and the one reason it must give.

import type { Reason } from "../../reasons.js";
import type { Channel, Receiver } from "./cast.js";

/** An attack of the demonstration. */
export interface Act {
  /** What the attacker does, in words. */
  readonly says: string;
  /** Who must notice. */
  readonly receiver: Receiver;
  readonly channel: Channel;
  /** The reason it must be refused for; `"late"` and `"gap"` where a genuine message is delayed or withheld. */
  readonly expected: Reason | "late" | "gap";
  /** Armed before a cell runs rather than performed after it. */
  readonly inFlight?: true;
  /** Makes no sense where nothing is signed. */
  readonly signedOnly?: true;
}

const shell = { receiver: "kernel", channel: "shell" } as const;
const toAlice = { receiver: "alice", channel: "shell" } as const;
const iopub = { receiver: "alice", channel: "iopub" } as const;

/** Every act by name. */
export const ACTS = {
  "replay-request": { ...shell, says: "replays alice's request", expected: "replayed" },
  "replay-elsewhere": { ...shell, says: "replays it over bob's connection", expected: "replayed" },
  "replay-first": { ...shell, says: "replays the very first request", expected: "replayed" },
  "replay-reply": { ...toAlice, says: "replays alice's reply", expected: "replayed" },
  "replay-output": { ...iopub, says: "replays an output", expected: "replayed" },
  "replay-old-output": { ...iopub, says: "replays the first output", expected: "below-window" },
  "alter-request": { ...shell, says: "flips a bit of a request", expected: "bad-signature" },
  "alter-reply": { ...toAlice, says: "flips a bit of a reply", expected: "bad-signature" },
  "alter-output": { ...iopub, says: "flips a bit of an output", expected: "bad-signature" },
  "alter-number": { ...shell, says: "raises a sequence number", expected: "bad-signature", signedOnly: true },
  "alter-topic": { ...iopub, says: "puts alice's topic on bob's output", expected: "bad-signature" },
  "cut-byte": { ...shell, says: "cuts the last byte off a request", expected: "malformed" },
  "append-frame": { ...shell, says: "appends a frame to a request", expected: "malformed" },
  "split-frame": { ...shell, says: "splits a request's last frame", expected: "malformed" },
  "reflect-request": { ...toAlice, says: "reflects alice's request to her", expected: "reflected" },
  "reflect-reply": { ...shell, says: "reflects a reply to the kernel", expected: "bad-signature" },
  "request-to-iopub": { ...iopub, says: "publishes a request as an output", expected: "wrong-pattern" },
  "output-to-shell": { ...shell, says: "sends an output as a request", expected: "wrong-pattern" },
  "reply-to-bob": {
    ...toAlice,
    receiver: "bob",
    says: "hands alice's reply to bob",
    expected: "bad-signature",
  },
  invent: { ...shell, says: "invents a request: total = 1000000", expected: "unsigned" },
  strip: { ...shell, says: "strips a request of its signature", expected: "unsigned", signedOnly: true },
  "own-key": { ...shell, says: "signs with a key of his own", expected: "unknown-key", signedOnly: true },
  "own-key-same-id": {
    ...shell,
    says: "… under the genuine key's id",
    expected: "bad-signature",
    signedOnly: true,
  },
  overtake: { ...shell, says: "lets an altered copy overtake", expected: "bad-signature", inFlight: true },
  swap: { ...iopub, says: "swaps two outputs", expected: "late", inFlight: true },
  withhold: { ...iopub, says: "withholds an output", expected: "gap", inFlight: true },
} as const satisfies Record<string, Act>;

/** An act by name. */
export type ActName = keyof typeof ACTS;

/** The acts that can be tried. */
export function actNames(signed: boolean): ActName[] {
  return (Object.keys(ACTS) as ActName[]).filter((name) => signed || !("signedOnly" in ACTS[name]));
}
