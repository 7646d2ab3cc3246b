// The calling process of one variant: a DEALER that sends, waits for the echo, and takes the time.

import { bodyOf } from "../cases.js";
import { serve } from "../child.js";
import { type VariantName, variants } from "../variants/table.js";
import type { AskingSocket, Credentials, Variant } from "../variants/variant.js";

export interface CallerOptions {
  readonly name: VariantName;
  readonly credentials: Credentials;
  readonly address: string;
}

let variant: Variant;
let socket: AskingSocket;

function open({ name, credentials, address }: CallerOptions): void {
  variant = variants[name].open(credentials);
  socket = variant.dealer();
  socket.connect(address);
}

const LOST_AFTER = 10_000;
let done = 0;

/** Microseconds of each of `count` round trips of a body in one frame. Rejects if an echo does not come. */
async function trips({ bytes, count }: { bytes: number; count: number }): Promise<Float64Array> {
  let watchdog: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    let before = -1;
    watchdog = setInterval(() => {
      if (done === before) reject(new Error("an echo was lost"));
      before = done;
    }, LOST_AFTER);
  });
  return Promise.race([lost, timed(bytes, count)]).finally(() => clearInterval(watchdog));
}

async function timed(bytes: number, count: number): Promise<Float64Array> {
  const body = bodyOf({ bytes, frames: 1 });
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await socket.send(variant.sign ? variant.sign(body, 0) : body);
    const received = await socket.receive();
    const echo = variant.verify ? variant.verify(received, 0) : received;
    times[i] = (performance.now() - start) * 1_000;
    done++;
    if (echo.length !== 1 || echo[0]!.length !== bytes) throw new Error("the echo is not what was sent");
  }
  return times;
}

const handlers = { open, trips };
export type CallerHandlers = typeof handlers;
serve(handlers);
