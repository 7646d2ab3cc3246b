// The two ways in which every variant is driven. Awaited: each send before the next, as a careful application does.
// Windowed: up to 512 sends are under way, as in an application that sends what comes; only then can messages wait for
// each other and leave as a batch. zeromq.js rejects a send while another waits for room (EBUSY), so plain sockets have
// as many under way as it lets them, and wait for the last one whenever it does not.

import type { Sending } from "./cases.js";
import type { SendingSocket } from "./variants/variant.js";

/** Below the 1,000 messages that wait in front of a signed socket at most, by default. */
const MOST_UNDER_WAY = 512;
/** Below the 64 MiB that wait there at most. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Sends one message that is ready for the wire; resolves when the next may be made. */
export type Send = (message: Buffer[]) => Promise<void> | undefined;

export interface Driver {
  readonly send: Send;
  /** Resolves once nothing is under way; rejects if anything failed. */
  settled(): Promise<void>;
}

export function driver(socket: Pick<SendingSocket, "send">, sending: Sending, bytes: number): Driver {
  if (sending === "awaited") return { send: (message) => socket.send(message), settled: async () => {} };
  return windowed(socket, Math.min(MOST_UNDER_WAY, Math.max(1, Math.floor(MOST_BYTES / bytes))));
}

function windowed(socket: Pick<SendingSocket, "send">, window: number): Driver {
  let underWay = 0;
  let failure: unknown;
  let waiting: { readonly least: number; resume(): void } | undefined;
  let last: Promise<void> = Promise.resolve();
  const done = () => {
    underWay--;
    if (waiting && underWay <= waiting.least) waiting.resume();
  };
  const failed = (error: unknown) => {
    failure ??= error;
    done();
  };
  const fallTo = async (least: number) => {
    if (underWay > least) {
      await new Promise<void>((resume) => {
        waiting = { least, resume };
      });
    }
    waiting = undefined;
    if (failure !== undefined) throw failure;
  };
  const start = (message: Buffer[]) => {
    last = socket.send(message);
    underWay++;
    last.then(done, failed);
  };
  const startLater = async (message: Buffer[]) => {
    await last;
    start(message);
  };
  return {
    send: (message) => {
      try {
        start(message);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
        return startLater(message);
      }
      // Half a window at a time: waking up for each message would be awaiting each.
      return underWay < window ? undefined : fallTo(window >> 1);
    },
    settled: () => fallTo(0),
  };
}
