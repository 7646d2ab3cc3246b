// The honest sender's process: a signed DEALER or PUB that sends the whole traffic of a seed once.

import { Dealer, Publisher } from "countersign";
import type { Pattern } from "../cases.js";
import { serve } from "../child.js";
import { type Pacer, pacer } from "../pacing.js";
import { MemorySampler } from "./memory.js";
import { makeTraffic, names, probe, signing, topics } from "./traffic.js";

export interface SenderOptions {
  readonly pattern: Pattern;
  readonly key: Uint8Array;
  readonly front: string;
  readonly acknowledgements: string;
}

/** How far the sender may be ahead of the receiver. */
const AHEAD = 4_096;

let socket: Dealer | Publisher;
let pace: Pacer;
let sent = 0;

function open({ pattern, key, front, acknowledgements }: SenderOptions): void {
  const options = { ...signing(key), sender: names.sender };
  socket =
    pattern === "dealer-router"
      ? new Dealer({ signing: { ...options, to: names.receiver } })
      : new Publisher({ sendHighWaterMark: 0, signing: options });
  socket.connect(front);
  pace = pacer([acknowledgements]);
}

const routed = (topic: Buffer, body: readonly Buffer[]) =>
  socket instanceof Publisher ? [topic, ...body] : [...body];

/** Sends one message that does not count; resolves to how many of them there were. */
async function sendProbe(): Promise<number> {
  await socket.send(routed(topics[0]!, probe));
  return ++sent;
}

async function run({ seed, messages }: { seed: number; messages: number }) {
  const traffic = makeTraffic(seed);
  const memory = new MemorySampler(messages);
  for (let index = 0; index < messages; index++) {
    const wait = pace.take(AHEAD);
    if (wait) await wait;
    await socket.send(routed(traffic.topicOf(index), traffic.bodyOf(index)));
    memory.at(index);
  }
  return { memory: memory.samples };
}

const handlers = { open, probe: sendProbe, run };
export type SenderHandlers = typeof handlers;
serve(handlers);
