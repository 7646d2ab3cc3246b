// The sending process of one pair: a DEALER or PUB of one variant, driven as fast as it accepts messages.

import { bodyOf, type Case, type Pattern } from "./cases.js";
import { serve } from "./child.js";
import { type Pacer, pacer, windowFor } from "./pacing.js";
import { startProfile, stopProfile } from "./profiler.js";
import { driver } from "./sending.js";
import { type VariantName, variants } from "./variants/table.js";
import { type Credentials, type SendingSocket, topic, type Variant } from "./variants/variant.js";

export interface SenderOptions {
  readonly name: VariantName;
  readonly pattern: Pattern;
  readonly credentials: Credentials;
  /** Of each receiver, and where it acknowledges. */
  readonly receivers: readonly { readonly address: string; readonly acknowledgements: string }[];
}

let variant: Variant;
let socket: SendingSocket;
let pace: Pacer;
let routing: Buffer[];

function open({ name, pattern, credentials, receivers }: SenderOptions): void {
  variant = variants[name].open(credentials);
  socket = pattern === "pub-sub" ? variant.publisher() : variant.dealer();
  for (const { address } of receivers) socket.connect(address);
  routing = pattern === "pub-sub" ? [topic] : [];
  pace = pacer(receivers.map(({ acknowledgements }) => acknowledgements));
}

function message(body: Buffer[]): Buffer[] {
  const frames = [...routing, ...body];
  return variant.sign ? variant.sign(frames, routing.length) : frames;
}

/** An empty message, which no receiver counts: it shows that the ends have met. */
const probe = () => socket.send(message([Buffer.alloc(0)]));

async function run({ kind, count }: { kind: Case; count: number }): Promise<void> {
  const body = bodyOf(kind);
  const window = windowFor(kind.bytes);
  const { send, settled } = driver(socket, kind.sending, kind.bytes);
  for (let i = 0; i < count; i++) {
    const room = pace.take(window);
    if (room) await room;
    const sending = send(message(body));
    if (sending) await sending;
  }
  await settled();
}

const handlers = { open, probe, run, startProfile, stopProfile };
export type SenderHandlers = typeof handlers;
serve(handlers);
