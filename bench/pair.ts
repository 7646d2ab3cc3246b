// One variant's sending process and its receiving ones. They start once and are measured again and again, so that a
// round costs no more than its messages.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { curveKeyPair } from "zeromq";
import type { Case, Meeting } from "./cases.js";
import { type Child, start } from "./child.js";
import { endpoints } from "./endpoint.js";
import type { Shares } from "./profiler.js";
import type { ReceiverHandlers } from "./receiver.js";
import type { SenderHandlers } from "./sender.js";
import type { VariantName } from "./variants/table.js";
import type { Credentials } from "./variants/variant.js";

export interface Pair {
  /** Sends `count` messages; resolves to the seconds between the first and the last that any receiver got. */
  measure(kind: Case, count: number): Promise<number>;
  /** Sends `count` messages; resolves to what the main threads of the sender and the first receiver did meanwhile. */
  profile(kind: Case, count: number): Promise<{ sender: Shares; receiver: Shares }>;
  stop(): void;
}

export function makeCredentials(): Credentials {
  return { secret: randomBytes(32), server: curveKeyPair(), client: curveKeyPair() };
}

export async function openPair(name: VariantName, meeting: Meeting, credentials: Credentials): Promise<Pair> {
  const { pattern, transport, subscribers } = meeting;
  const places = endpoints(transport);
  const receivers = Array.from({ length: subscribers }, () =>
    start<ReceiverHandlers>(new URL("./receiver.js", import.meta.url), `${name} receiver`),
  );
  const sender = start<SenderHandlers>(new URL("./sender.js", import.meta.url), `${name} sender`);
  const stop = () => {
    for (const child of [sender, ...receivers]) child.stop();
    places.remove();
  };
  try {
    const common = { name, pattern, credentials };
    const addresses = await Promise.all(
      receivers.map((receiver) => receiver.ask("open", { ...common, bind: places.next() })),
    );
    await sender.ask("open", { ...common, receivers: addresses });
    await meet(sender, receivers);
  } catch (error) {
    stop();
    throw error;
  }
  const measure = async (kind: Case, count: number) => {
    await Promise.all(receivers.map((receiver) => receiver.ask("expect", { kind, count })));
    const results = receivers.map((receiver) => receiver.ask("result"));
    const [spans] = await Promise.all([Promise.all(results), sender.ask("run", { kind, count })]);
    const first = spans.reduce(
      (earliest, span) => (span.first < earliest ? span.first : earliest),
      spans[0]!.first,
    );
    const last = spans.reduce((latest, span) => (span.last > latest ? span.last : latest), spans[0]!.last);
    return Number(last - first) / 1e9;
  };
  const profile = async (kind: Case, count: number) => {
    const receiver = receivers[0]!;
    await Promise.all([sender.ask("startProfile"), receiver.ask("startProfile")]);
    await measure(kind, count);
    const [sent, received] = await Promise.all([sender.ask("stopProfile"), receiver.ask("stopProfile")]);
    return { sender: sent, receiver: received };
  };
  return { measure, profile, stop };
}

/** Sends probes until every receiver has got one. */
async function meet(
  sender: Child<SenderHandlers>,
  receivers: readonly Child<ReceiverHandlers>[],
): Promise<void> {
  let met = false;
  const meeting = Promise.all(receivers.map((receiver) => receiver.ask("meeting"))).then(() => {
    met = true;
  });
  while (!met) {
    await sender.ask("probe");
    await Promise.race([meeting, sleep(10)]);
  }
}
