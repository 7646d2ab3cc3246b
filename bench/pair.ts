// One variant's two processes over tcp. They start once and are measured again and again, so that a round costs no
// more than its messages.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { curveKeyPair } from "zeromq";
import type { Case, Pattern } from "./cases.js";
import { start } from "./child.js";
import type { ReceiverHandlers } from "./receiver.js";
import type { SenderHandlers } from "./sender.js";
import type { VariantName } from "./variants/table.js";
import type { Credentials } from "./variants/variant.js";

export interface Pair {
  /** Sends `count` messages and resolves to the seconds between the first and the last at the receiver. */
  measure(kind: Case, count: number): Promise<number>;
  stop(): void;
}

export function makeCredentials(): Credentials {
  return { secret: randomBytes(32), server: curveKeyPair(), client: curveKeyPair() };
}

export async function openPair(name: VariantName, pattern: Pattern, credentials: Credentials): Promise<Pair> {
  const receiver = start<ReceiverHandlers>(new URL("./receiver.js", import.meta.url), `${name} receiver`);
  const sender = start<SenderHandlers>(new URL("./sender.js", import.meta.url), `${name} sender`);
  const stop = () => {
    sender.stop();
    receiver.stop();
  };
  try {
    const addresses = await receiver.ask("open", { name, pattern, credentials });
    await sender.ask("open", { name, pattern, credentials, ...addresses });
    let met = false;
    const meeting = receiver.ask("meeting").then(() => {
      met = true;
    });
    while (!met) {
      await sender.ask("probe");
      await Promise.race([meeting, sleep(10)]);
    }
  } catch (error) {
    stop();
    throw error;
  }
  const measure = async (kind: Case, count: number) => {
    await receiver.ask("expect", { kind, count });
    const [seconds] = await Promise.all([receiver.ask("result"), sender.ask("run", { kind, count })]);
    return seconds;
  };
  return { measure, stop };
}
