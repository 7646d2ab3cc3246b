// The parties of `npm run bench -- workers`, each a process of its own: a DEALER, a broker that hands one message in ten to
// another worker as well, and ROUTER workers that share one stream in Redis, or each have a memory of their own.

import { setImmediate as turn } from "node:timers/promises";
import { Dealer, type ReplayState, Router } from "countersign";
import { RedisState } from "countersign/state/redis";
import { Redis } from "ioredis";
import * as zmq from "zeromq";
import { serve } from "../child.js";

const anyPort = "tcp://127.0.0.1:*";
const channel = "workers";
const body = Buffer.alloc(64, "countersign ");

/** Opens the broker; every tenth message is repeated, and so goes to the next worker. */
async function broker({ replays }: { replays: boolean }): Promise<{ front: string; back: string }> {
  const front = new zmq.Router({ linger: 0 });
  const back = new zmq.Dealer({ linger: 0 });
  await front.bind(anyPort);
  await back.bind(anyPort);
  void (async () => {
    let count = 0;
    for await (const frames of front) {
      await back.send(frames);
      if (replays && ++count % 10 === 0) await back.send(frames);
    }
  })();
  return { front: front.lastEndpoint as string, back: back.lastEndpoint as string };
}

let heard = new Uint8Array(0);
let delivered = 0;
let twice = 0;
let worker: Router;

/** Opens a worker, which takes note of each message's number. */
function work(options: {
  key: Uint8Array;
  back: string;
  name: string;
  messages: number;
  redis?: number;
}): void {
  const { key, back, name, messages, redis } = options;
  const state: ReplayState | undefined =
    redis === undefined ? undefined : new RedisState({ client: new Redis(redis, "127.0.0.1") });
  worker = new Router({
    receiveHighWaterMark: 10_000,
    signing: { key, sender: name, receiver: "workers", channel, hops: 1, window: 65_536, state },
  });
  heard = new Uint8Array(messages);
  worker.connect(back);
  void (async () => {
    for await (const message of worker) {
      const number = (message.at(-1) as Buffer).readUInt32BE(0);
      delivered++;
      if (number >= messages) continue;
      if (heard[number] === 1) twice++;
      heard[number] = 1;
    }
  })();
}

/** Sends so many messages; resolves to the seconds from the first to the last. */
async function send(options: { key: Uint8Array; front: string; messages: number }): Promise<void> {
  const { key, front, messages } = options;
  const dealer = new Dealer({ sendHighWaterMark: 10_000, signing: { key, channel } });
  dealer.connect(front);
  for (let number = 0; number < messages; number++) {
    body.writeUInt32BE(number, 0);
    await dealer.send(body);
    if (number % 256 === 0) await turn();
  }
}

const handlers = {
  broker,
  work,
  send,
  /** How many messages were delivered here. */
  count: () => delivered,
  /** Which numbers were delivered here, how many of them twice, and what was refused as replayed. */
  account: () => ({ heard, twice, replayed: worker.stats.rejected.replayed }),
};
export type WorkersHandlers = typeof handlers;
serve(handlers);
