// `npm run bench -- ready`: a SUB that joins a running PUB late, with clocks two days apart, through a broker that repeats
// yesterday's traffic all the while. What it is handed must be live, and the time to `ready()` is what is measured.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Publisher, Subscriber } from "countersign";
import * as zmq from "zeromq";
import type { Run } from "./section.js";
import { type Summary, summarize } from "./statistics.js";

export interface Readiness {
  readonly joins: number;
  /** Milliseconds from `connect` to `ready()`. */
  readonly millis: Summary;
  readonly delivered: number;
  /** Delivered, though it was said before the subscriber was ready. */
  readonly recordings: number;
  readonly repeated: number;
}

const JOINS = 20;
const DAY = 24 * 3600 * 1_000_000;
const clock = (by: number) => () => Math.floor((performance.timeOrigin + performance.now()) * 1000) + by;
const anyPort = "tcp://127.0.0.1:*";
const topic = "t";

export async function measureReady({ progress }: Run, joins = JOINS): Promise<Readiness> {
  const key = randomBytes(32);
  const signing = (by: number) => ({ key, sender: "publisher", channel: "ready", clock: clock(by) });
  const broker = await openBroker();
  // Yesterday: an earlier run of the same publisher.
  const earlier = new Publisher({ linger: 0, signing: signing(DAY) });
  earlier.connect(broker.front);
  await broker.record(() => earlier.send([topic, "yesterday"]), 100);
  earlier.close();
  const publisher = new Publisher({ linger: 0, signing: signing(-DAY) });
  publisher.connect(broker.front);
  await broker.record(() => publisher.send([topic, "yesterday"]), 100);
  const millis: number[] = [];
  let [delivered, recordings] = [0, 0];
  for (let join = 0; join < joins; join++) {
    progress(`ready: ${join} of ${joins} joins`);
    const options = {
      key,
      sender: "subscriber",
      channel: "ready",
      admit: "challenge" as const,
      clock: clock(DAY),
    };
    const subscriber = new Subscriber({
      linger: 0,
      receiveTimeout: 10_000,
      signing: { ...options, onReject: () => {} },
    });
    subscriber.subscribe(topic);
    const began = performance.now();
    subscriber.connect(broker.back);
    await subscriber.ready({ publishers: 1 });
    millis.push(performance.now() - began);
    for (let i = 0; i < 20; i++) {
      await publisher.send([topic, `live ${join}`]);
      const message = await subscriber.receive();
      delivered++;
      if (String(message[1]) !== `live ${join}`) recordings++;
    }
    subscriber.close();
  }
  publisher.close();
  return { joins, millis: summarize(millis), delivered, recordings, repeated: broker.close() };
}

/** Carries messages and subscriptions, and repeats what it was told to record, ten of them every millisecond or so. */
async function openBroker() {
  const front = new zmq.XSubscriber({ linger: 0, receiveHighWaterMark: 0 });
  const back = new zmq.XPublisher({ linger: 0 });
  await front.bind(anyPort);
  await back.bind(anyPort);
  await front.send(Buffer.from(`\u0001${topic}`));
  const recorded: Buffer[][] = [];
  let [recording, repeated, open] = [true, 0, true];
  const upstream = async () => {
    for await (const frames of back) await front.send(frames);
  };
  const downstream = async () => {
    for await (const frames of front) {
      if (recording && String(frames[0]) === topic) recorded.push(frames.map((frame) => Buffer.from(frame)));
      await back.send(frames);
    }
  };
  const repeat = async () => {
    for (let at = 0; open; at++) {
      const frames = recording ? undefined : recorded[at % recorded.length];
      if (frames !== undefined) await back.send(frames);
      if (frames !== undefined) repeated++;
      if (at % 10 === 0) await pause(1);
    }
  };
  for (const loop of [upstream, downstream, repeat]) void loop().catch(() => {});
  return {
    front: front.lastEndpoint as string,
    back: back.lastEndpoint as string,
    /** Has messages sent until so many more have arrived here. */
    async record(send: () => Promise<void>, count: number): Promise<void> {
      recording = true;
      const enough = recorded.length + count;
      while (recorded.length < enough) {
        await send();
        await pause(1);
      }
      recording = false;
    },
    close(): number {
      open = false;
      front.close();
      back.close();
      return repeated;
    },
  };
}
