// The sending process of one pair: a DEALER or PUB of one variant, driven as fast as it accepts messages.

import { bodyOf, type Case, type Pattern } from "./cases.js";
import { serve } from "./child.js";
import { type Pacer, pacer, windowFor } from "./pacing.js";
import { type VariantName, variants } from "./variants/table.js";
import { type Credentials, type SendingSocket, topic, type Variant } from "./variants/variant.js";

export interface SenderOptions {
  readonly name: VariantName;
  readonly pattern: Pattern;
  readonly credentials: Credentials;
  readonly address: string;
  readonly acknowledgements: string | undefined;
}

let variant: Variant;
let socket: SendingSocket;
let pace: Pacer | undefined;
let routing: Buffer[];

function open({ name, pattern, credentials, address, acknowledgements }: SenderOptions): void {
  variant = variants[name].open(credentials);
  socket = pattern === "pub-sub" ? variant.publisher() : variant.dealer();
  socket.connect(address);
  routing = pattern === "pub-sub" ? [topic] : [];
  if (acknowledgements) pace = pacer(acknowledgements);
}

function send(body: Buffer[]): Promise<void> {
  const message = [...routing, ...body];
  return socket.send(variant.sign ? variant.sign(message, routing.length) : message);
}

/** An empty message, which the receiver does not count: it shows that the two ends have met. */
const probe = () => send([Buffer.alloc(0)]);

async function run({ kind, count }: { kind: Case; count: number }): Promise<void> {
  const body = bodyOf(kind);
  const window = windowFor(kind.bytes);
  for (let i = 0; i < count; i++) {
    const wait = pace?.take(window);
    if (wait) await wait;
    await send(body);
  }
}

const handlers = { open, probe, run };
export type SenderHandlers = typeof handlers;
serve(handlers);
