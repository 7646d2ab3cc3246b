// What the actors of the demonstration say to each other: orders from the director, reports to him. Over IPC, beside
// the traffic that is shown.

import type { Reason } from "../../reasons.js";
import type { ActName } from "./acts.js";
import type { Channel, Receiver } from "./cast.js";

/** An application message: what the demonstration sends for real, as JSON in the clear. */
export interface Note {
  /** Unlike any other: `alice-7`, `kernel-12`. */
  readonly id: string;
  /** The request that this answers or belongs to. */
  readonly re?: string;
  readonly text: string;
}

/** What the director tells an actor. */
export type Order =
  | { readonly order: "connect"; readonly shell: string; readonly iopub: string }
  | { readonly order: "run"; readonly id: string; readonly code: string }
  | { readonly order: "act"; readonly name: ActName }
  | { readonly order: "arm"; readonly name: ActName }
  | { readonly order: "probe" }
  | { readonly order: "stats" }
  | { readonly order: "leave" };

/** Counters of one socket, as far as the books compare them. */
export interface Counters {
  readonly accepted: number;
  readonly rejected: Readonly<Partial<Record<Reason, number>>>;
  readonly lost: number;
}

/** What an actor tells the director. */
export type Report =
  | { readonly report: "ready"; readonly shell?: string; readonly iopub?: string }
  | { readonly report: "subscribed" }
  | { readonly report: "sent"; readonly channel: Channel; readonly to: Receiver; readonly note: Note }
  | {
      readonly report: "delivered";
      readonly channel: Channel;
      readonly from: string;
      readonly late: boolean;
      /** All frames behind the routing, joined: what arrived, whatever it was. */
      readonly content: string;
    }
  | { readonly report: "refused"; readonly channel: Channel; readonly reason: Reason }
  | { readonly report: "gap"; readonly lost: number }
  | { readonly report: "finished"; readonly id: string; readonly result: string }
  | { readonly report: "withheld"; readonly id: string }
  | { readonly report: "acted"; readonly name: ActName }
  | { readonly report: "stats"; readonly counters: Readonly<Partial<Record<Channel, Counters | undefined>>> };

/** How long the window of the iopub subscribers is: a swapped pair is delivered, and the late one marked. */
export const WINDOW = 4;

/** The id of what the kernel publishes until its subscribers hear it; the books do not know of it. */
export const PROBE = "probe";

/** A note in its frame. */
export function encode(note: Note): Buffer {
  return Buffer.from(JSON.stringify(note));
}

/** The note in a frame; `undefined` for whatever is none. */
export function decode(content: string): Note | undefined {
  try {
    const note = JSON.parse(content) as Partial<Note> | null;
    return typeof note?.id === "string" && typeof note.text === "string" ? (note as Note) : undefined;
  } catch {
    return undefined;
  }
}

/** Reports to the director; an actor without one has nothing to do any more. */
export function report(message: Report): void {
  process.send?.(message);
}

/** Calls `obey` for each order; the process ends when the director goes away. */
export function onOrder(obey: (order: Order) => void | Promise<void>): void {
  process.on("message", (order: Order) => {
    if (order.order === "leave") process.exit(0);
    void obey(order);
  });
  process.on("disconnect", () => process.exit(1));
  process.on("SIGINT", () => {}); // the director tells when to leave
}
