// One run of the soak: three processes, sender, hostile broker and receiver, and the traffic of one seed through them.

import { setTimeout as sleep } from "node:timers/promises";
import type { Pattern } from "../cases.js";
import { type Child, start } from "../child.js";
import type { Books } from "./attacker.js";
import type { BrokerHandlers } from "./broker.js";
import type { MemorySample } from "./memory.js";
import type { ReceiverHandlers, Report } from "./receiver.js";
import type { SenderHandlers } from "./sender.js";

export interface RunOptions {
  readonly pattern: Pattern;
  /** 0 is strict. */
  readonly window: number;
  readonly seed: number;
  readonly messages: number;
  readonly key: Uint8Array;
  progress(text: string): void;
}

export interface Outcome {
  readonly options: RunOptions;
  readonly books: Books;
  readonly report: Report;
  /** Empty where the sender never came to its end. */
  readonly senderMemory: readonly MemorySample[];
  readonly seconds: number;
}

interface Processes {
  readonly sender: Child<SenderHandlers>;
  readonly broker: Child<BrokerHandlers>;
  readonly receiver: Child<ReceiverHandlers>;
}

const STALLED_AFTER = 15_000;
const gc = ["--expose-gc"];

export async function runSoak(options: RunOptions): Promise<Outcome> {
  const processes: Processes = {
    sender: start<SenderHandlers>(new URL("./sender.js", import.meta.url), "sender", gc),
    broker: start<BrokerHandlers>(new URL("./broker.js", import.meta.url), "broker"),
    receiver: start<ReceiverHandlers>(new URL("./receiver.js", import.meta.url), "receiver", gc),
  };
  try {
    await connect(processes, options);
    return await pour(processes, options);
  } finally {
    for (const child of Object.values(processes)) child.stop();
  }
}

/** Opens the sockets, and sends probes through the broker until the last of them has arrived. */
async function connect(
  { sender, broker, receiver }: Processes,
  { pattern, key, window }: RunOptions,
): Promise<void> {
  const { front, back } = await broker.ask("open", pattern);
  const acknowledgements = await receiver.ask("open", { pattern, key, window, back });
  await sender.ask("open", { pattern, key, front, acknowledgements });
  let sent = 0;
  do {
    sent = await sender.ask("probe");
    await sleep(100);
  } while ((await receiver.ask("progress")).lastProbe !== sent);
}

async function pour(processes: Processes, options: RunOptions): Promise<Outcome> {
  const { sender, broker, receiver } = processes;
  const { pattern, window, seed, messages } = options;
  await receiver.ask("expect", { seed, messages, strict: window === 0 });
  await broker.ask("attack", { pattern, seed, messages, window });
  const start = performance.now();
  const running = sender.ask("run", { seed, messages });
  const arrived = await Promise.race([arrival(processes, options), failureOf(running)]);
  const memory = arrived ? (await running).memory : [];
  const seconds = (performance.now() - start) / 1_000;
  const [books, report] = await Promise.all([broker.ask("books"), receiver.ask("report")]);
  return { options, books, report, senderMemory: memory, seconds };
}

/** Rejects when `running` does, and never resolves. */
const failureOf = (running: Promise<unknown>) => running.then(() => new Promise<never>(() => {}));

/** True when everything that the broker passed on was delivered or refused, false when nothing moves any more. */
async function arrival(
  { broker, receiver }: Processes,
  { messages, progress }: RunOptions,
): Promise<boolean> {
  let before = -1;
  let movedAt = performance.now();
  for (;;) {
    const { delivered, refused } = await receiver.ask("progress");
    const { received, passedOn } = await broker.ask("books");
    progress(`${received} of ${messages} sent, ${delivered} delivered, ${refused} refused`);
    const settled = delivered + refused;
    if (received === messages && settled === passedOn) return true;
    if (settled !== before) movedAt = performance.now();
    before = settled;
    if (performance.now() - movedAt > STALLED_AFTER) return false;
    await sleep(500);
  }
}
