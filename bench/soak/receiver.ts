// The honest receiver's process: a signed ROUTER or SUB behind the hostile broker. Whatever is delivered goes into the
// ledger; every refusal is counted twice, by `stats` and by `onReject`.

import { type Origin, Router, Subscriber } from "countersign";
import type { Reason } from "countersign/core";
import type { Pattern } from "../cases.js";
import { serve } from "../child.js";
import { type Acknowledger, acknowledger } from "../pacing.js";
import { Ledger } from "./ledger.js";
import { MemorySampler } from "./memory.js";
import { isProbe, makeTraffic, names, signing, topicPrefix } from "./traffic.js";

export interface ReceiverOptions {
  readonly pattern: Pattern;
  readonly key: Uint8Array;
  readonly window: number;
  readonly back: string;
}

/** An acknowledgement for every so many messages. */
const STEP = 4_096;

let socket: Router | Subscriber;
let acknowledgements: Acknowledger;
let ledger: Ledger | undefined;
let memory: MemorySampler;
let lastProbe = 0;
let probesDelivered = 0;
const rejections: Partial<Record<Reason, number>> = {};

async function open({ pattern, key, window, back }: ReceiverOptions): Promise<string> {
  const onReject = ({ reason }: { reason: Reason }) => {
    rejections[reason] = (rejections[reason] ?? 0) + 1;
  };
  const options = { ...signing(key), sender: names.receiver, window, onReject };
  socket =
    pattern === "dealer-router"
      ? new Router({ signing: { ...options, hops: 1 } })
      : new Subscriber({ receiveHighWaterMark: 0, signing: options });
  socket.connect(back);
  if (socket instanceof Subscriber) socket.subscribe(topicPrefix);
  acknowledgements = await acknowledger();
  void receive();
  return acknowledgements.address;
}

/** A ROUTER's message begins with the ids of the broker and of the sender, a SUB's with its topic. */
async function receive(): Promise<void> {
  const routing = socket instanceof Subscriber ? 1 : 2;
  for await (const message of socket) {
    const body = message.slice(routing);
    if (isProbe(body)) {
      lastProbe = message.origin!.sequence;
      probesDelivered++;
    } else enter(routing === 1 ? message[0] : undefined, body, message.origin);
  }
}

function enter(topic: Buffer | undefined, body: Buffer[], origin: Origin | undefined): void {
  ledger!.deliver({ topic, body, origin });
  memory.at(ledger!.reached);
  acknowledgements.reached(ledger!.reached, STEP);
}

/** From here on the traffic of `seed` is due. */
function expect({ seed, messages, strict }: { seed: number; messages: number; strict: boolean }): void {
  ledger = new Ledger({ traffic: makeTraffic(seed), messages, strict, firstSequence: lastProbe + 1 });
  memory = new MemorySampler(messages);
}

function progress() {
  const refused = Object.values(socket.stats.rejected).reduce((sum, count) => sum + count, 0);
  return { lastProbe, delivered: ledger?.delivered ?? 0, refused };
}

function report() {
  const { delivered, late, faults, told, bits } = ledger!;
  const { stats } = socket;
  return {
    delivered,
    late,
    faults,
    told,
    bits: bits.bytes,
    accepted: stats.accepted - probesDelivered,
    rejected: stats.rejected,
    rejections,
    lost: stats.lost,
    memory: memory.samples,
  };
}

const handlers = { open, expect, progress, report };
export type ReceiverHandlers = typeof handlers;
export type Report = ReturnType<typeof report>;
serve(handlers);
