// A receiving process of one pair: a ROUTER or SUB of one variant, and the clock. What is reported is when the first and
// the last message came to the application, and every message and byte is counted.

import type { Case, Pattern } from "./cases.js";
import { serve } from "./child.js";
import { type Acknowledger, acknowledger, windowFor } from "./pacing.js";
import { startProfile, stopProfile } from "./profiler.js";
import { type VariantName, variants } from "./variants/table.js";
import { type Credentials, type ReceivingSocket, topic, type Variant } from "./variants/variant.js";

export interface ReceiverOptions {
  readonly name: VariantName;
  readonly pattern: Pattern;
  readonly credentials: Credentials;
  /** Where to bind; may be a wildcard. */
  readonly bind: string;
}

/** In nanoseconds by the machine's clock that never stops, which all its processes share. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

const STALLED_AFTER = 10_000;

let acknowledgements: Acknowledger;
let expected: { readonly kind: Case; readonly count: number; done(span: Span): void } | undefined;
let arrived = 0;
let everArrived = 0;
let first = 0n;

let met = () => {};
const meeting = new Promise<void>((resolve) => {
  met = resolve;
});

async function open({ name, pattern, credentials, bind }: ReceiverOptions) {
  const variant = variants[name].open(credentials);
  const socket = pattern === "pub-sub" ? subscriber(variant) : variant.router();
  acknowledgements = await acknowledger();
  await socket.bind(bind);
  void receive(socket, variant);
  return { address: socket.lastEndpoint!, acknowledgements: acknowledgements.address };
}

function subscriber(variant: Variant): ReceivingSocket {
  const socket = variant.subscriber();
  socket.subscribe(topic);
  return socket;
}

/** Behind one frame that ZeroMQ routes by, be it id or topic, stands the body. An empty body is a probe. */
async function receive(socket: ReceivingSocket, variant: Variant): Promise<void> {
  for await (const received of socket) {
    const message = variant.verify ? variant.verify(received, 1) : received;
    if (message.length === 2 && message[1]!.length === 0) met();
    else count(message);
  }
}

function count(message: Buffer[]): void {
  if (!expected) throw new Error("a message arrived that nobody sent");
  check(expected.kind, message);
  if (arrived++ === 0) first = process.hrtime.bigint();
  acknowledgements.reached(++everArrived, windowFor(expected.kind.bytes));
  if (arrived === expected.count) expected.done({ first, last: process.hrtime.bigint() });
}

function check({ bytes, frames }: Case, message: Buffer[]): void {
  let length = 0;
  for (let i = 1; i < message.length; i++) length += message[i]!.length;
  if (message.length === 1 + frames && length === bytes) return;
  throw new Error(`expected ${bytes} bytes in ${frames} frames, got ${length} in ${message.length - 1}`);
}

let result: Promise<Span>;

/** From here on `count` messages are due, and none of them may be missing. */
function expect({ kind, count }: { kind: Case; count: number }): void {
  arrived = 0;
  acknowledgements.reached(everArrived, 0);
  result = new Promise((resolve, reject) => {
    let before = 0;
    const watchdog = setInterval(() => {
      if (arrived === before) finish(() => reject(new Error(`${count - arrived} of ${count} messages lost`)));
      before = arrived;
    }, STALLED_AFTER);
    const finish = (settle: () => void) => {
      clearInterval(watchdog);
      expected = undefined;
      settle();
    };
    expected = { kind, count, done: (span) => finish(() => resolve(span)) };
  });
}

/** Resolves once a probe has come, and the sender hears what is acknowledged. */
const hasMet = () => Promise.all([meeting, acknowledgements.heard]).then(() => {});

const handlers = { open, meeting: hasMet, expect, result: () => result, startProfile, stopProfile };
export type ReceiverHandlers = typeof handlers;
serve(handlers);
