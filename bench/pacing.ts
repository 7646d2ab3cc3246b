// Flow control between a sender and its receivers: each receiver acknowledges on a socket of its own how far it has
// come, and the sender is never more than a window ahead of the slowest. PUB drops silently where nothing paces it; here
// nothing may be lost. It also bounds the memory that large bodies take on their way.

import { Pull, Push } from "zeromq";

/** Enough to keep a receiver busy while an acknowledgement travels, and bounded in memory for large bodies. */
export function windowFor(bytes: number): number {
  return Math.min(4_096, Math.max(32, Math.floor((32 * 1024 * 1024) / bytes)));
}

export interface Pacer {
  /** To be asked before every message: undefined when it may be sent at once, otherwise a promise of that. */
  take(window: number): Promise<void> | undefined;
}

/** The sender's half; one address a receiver. */
export function pacer(addresses: readonly string[]): Pacer {
  const reached = addresses.map(() => 0);
  let sent = 0;
  let slowest = 0;
  let waiting: { readonly at: number; resume(): void } | undefined;
  const listen = async (address: string, receiver: number) => {
    const acknowledgements = new Pull();
    acknowledgements.connect(address);
    for await (const [total] of acknowledgements) {
      reached[receiver] = total!.readUInt32BE();
      slowest = Math.min(...reached);
      if (waiting && slowest >= waiting.at) waiting.resume();
    }
  };
  for (const [receiver, address] of addresses.entries()) void listen(address, receiver);
  return {
    take: (window) => {
      const at = sent++ - window + 1;
      if (slowest >= at) return undefined;
      return new Promise((resume) => {
        waiting = { at, resume };
      });
    },
  };
}

export interface Acknowledger {
  readonly address: string;
  /** Resolves once the sender hears this one. Until then nothing is told. */
  readonly heard: Promise<void>;
  /** How many messages the receiver has behind it. Told to the sender once an eighth of the window has gone by. */
  reached(total: number, window: number): void;
}

/** A receiver's half. */
export async function acknowledger(): Promise<Acknowledger> {
  const acknowledgements = new Push({ sendHighWaterMark: 0 });
  await acknowledgements.bind("tcp://127.0.0.1:*");
  let acknowledged = 0;
  let isHeard = false;
  const heard = acknowledgements.send(numbered(0)).then(() => {
    // From here on every send settles at once, so none can be refused because another is pending.
    acknowledgements.sendTimeout = 0;
    isHeard = true;
  });
  return {
    address: acknowledgements.lastEndpoint!,
    heard,
    reached: (total, window) => {
      if (!isHeard || total - acknowledged < window / 8) return;
      acknowledged = total;
      void acknowledgements.send(numbered(total));
    },
  };
}

function numbered(total: number): Buffer {
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(total);
  return frame;
}
