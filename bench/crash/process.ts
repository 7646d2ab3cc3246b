// One process of a crash run: sender, broker or receiver. It is told on its command line who it is and may be killed at any
// moment; what it did stands in its journal.

import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Dealer, type ReplayState, Router } from "countersign";
import { LmdbState } from "countersign/state/lmdb";
import { RedisState } from "countersign/state/redis";
import { Redis } from "ioredis";
import * as zmq from "zeromq";
import { random as generator } from "../soak/random.js";
import { journal, type Role, readJournal, type Stage } from "./stage.js";

/** Messages on their way to ZeroMQ at once, and pauses between them in milliseconds. */
const AT_ONCE = 16;
const EVERY = 1;
/** Of so many messages the broker repeats one that it has seen before. */
const REPLAYS = 5;
/** Messages that the broker remembers, its earlier runs' too. */
const RECORDED = 5000;

function stateOf({ state, folder, redisPort }: Stage): ReplayState | undefined {
  if (state === "lmdb") return new LmdbState({ path: `${folder}/state` });
  if (state === "redis") return new RedisState({ client: new Redis(redisPort, "127.0.0.1") });
  return undefined;
}

/** Numbers messages on and on; says before each that it will be sent, and after it that ZeroMQ has it. */
async function send(stage: Stage, run: string): Promise<void> {
  const note = journal(stage.folder, "sender");
  const state = stateOf(stage);
  const dealer = new Dealer({
    linger: 5000,
    signing: { key: Buffer.from(stage.key, "hex"), sender: "sender", admit: "challenge", state },
  });
  dealer.connect(stage.front);
  let number = 0;
  let ending = false;
  process.once("SIGTERM", () => {
    ending = true;
  });
  const lane = async () => {
    while (!ending) {
      const name = `${run}-${++number}`;
      note(`will ${name}`);
      await dealer.send(name);
      note(`sent ${name} ${Date.now()}`);
      await pause(EVERY * AT_ONCE);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  dealer.close();
  await (state as LmdbState | undefined)?.close?.();
  process.exit();
}

async function receive(stage: Stage): Promise<void> {
  const note = journal(stage.folder, "receiver");
  const state = stateOf(stage);
  const router = new Router({
    linger: 0,
    signing: {
      key: Buffer.from(stage.key, "hex"),
      sender: "receiver",
      receiver: "receiver",
      admit: "challenge",
      hops: 1,
      state,
    },
  });
  router.connect(stage.back);
  process.once("SIGTERM", () => process.exit());
  for await (const message of router) {
    const { epoch, sequence } = message.origin;
    note(`heard ${String(message.at(-1))} ${epoch} ${sequence}`);
  }
}

/** Moves frames both ways, and repeats what came from the sender now and then, also of the time before it was killed. */
async function carry(stage: Stage, run: string): Promise<void> {
  const note = journal(stage.folder, "broker");
  const random = generator(Number(run));
  const recorded: Buffer[] = readJournal(stage.folder, "broker")
    .slice(-RECORDED)
    .map(([frame]) => Buffer.from(frame as string, "hex"));
  const front = new zmq.Router({ linger: 0 });
  const back = new zmq.Dealer({ linger: 0 });
  await front.bind(stage.front);
  await back.bind(stage.back);
  process.once("SIGTERM", () => process.exit());
  void (async () => {
    for await (const frames of back) await front.send(frames);
  })();
  for await (const [id, frame, ...rest] of front) {
    await back.send([id as Buffer, frame as Buffer, ...rest]);
    recorded.push(Buffer.from(frame as Buffer));
    note((frame as Buffer).toString("hex"));
    if (recorded.length > RECORDED) recorded.shift();
    const old = recorded[Math.floor(random() * recorded.length)] as Buffer;
    if (random() * REPLAYS < 1) await back.send([id as Buffer, old]);
  }
}

const [role, file, run = "0"] = process.argv.slice(2) as [Role, string, string?];
if (!existsSync(file)) throw new Error("this program is started by the crash run");
const stage = JSON.parse(readFileSync(file, "utf8")) as Stage;
const play = {
  sender: () => send(stage, run),
  receiver: () => receive(stage),
  broker: () => carry(stage, run),
};
await play[role]();
