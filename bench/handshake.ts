// `npm run bench -- handshake`: handshakes a second at the server, new keys under load, and a login storm.

import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Dealer, Router } from "countersign";
import {
  type AcceptMechanism,
  Cookies,
  clientExchange,
  type LoginMechanism,
  mintVerifier,
  psk,
  scram,
  serverExchange,
} from "countersign/handshake";
import type { Run } from "./section.js";
import { type Summary, summarize } from "./statistics.js";
import { type Storm, storm } from "./storm.js";

/** What one mechanism costs a server. */
export interface HandshakeRate {
  readonly label: string;
  /** Whole handshakes a second of processor time. */
  readonly perSecond: Summary;
}

/** What renewals cost those who talk meanwhile. */
export interface Renewals {
  readonly messages: number;
  readonly lost: number;
  readonly renewed: number;
  /** Milliseconds between two messages at the receiver, at the longest: with renewals, and without. */
  readonly pause: Summary;
  readonly without: Summary;
}

export interface Handshakes {
  readonly rates: readonly HandshakeRate[];
  readonly renewals: Renewals;
  readonly storm: Storm;
}

const EACH = 200;
const MESSAGES = 20_000;
/** Renewals in one run of messages. */
const RENEWALS = 20;
/** Messages that are sent before the event loop has its turn, which both ends share here. */
const BURST = 16;

export async function measureHandshake(
  { rounds, progress }: Run,
  each = EACH,
  messages = MESSAGES,
): Promise<Handshakes> {
  const key = randomBytes(32);
  const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };
  const ways: [string, LoginMechanism, AcceptMechanism][] = [
    ["psk", psk({ key }), psk({ key })],
    ["psk without X25519", psk({ key, forwardSecrecy: false }), psk({ key, forwardSecrecy: false })],
    ["scram", scram({ user: "alice", password: "pencil" }), scram({ users })],
  ];
  const measured = ways.map(([label]) => ({ label, figures: [] as number[] }));
  const [pauses, without]: number[][] = [[], []];
  let [lost, renewed] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    progress(`handshake: round ${round + 1} of ${rounds}`);
    for (const [i, [, login, accept]] of ways.entries())
      measured[i]?.figures.push(await rate(login, accept, each));
    const calm = await traffic(key, messages, Number.MAX_SAFE_INTEGER);
    const busy = await traffic(key, messages, Math.ceil(messages / RENEWALS));
    without?.push(calm.pause);
    pauses?.push(busy.pause);
    lost += busy.lost + calm.lost;
    renewed += busy.renewed;
  }
  progress("handshake: a login storm");
  return {
    rates: measured.map(({ label, figures }) => ({ label, perSecond: summarize(figures) })),
    renewals: {
      messages: messages * rounds,
      lost,
      renewed,
      pause: summarize(pauses ?? []),
      without: summarize(without ?? []),
    },
    storm: await storm(100, 10_000),
  };
}

/** Whole handshakes a second of processor time, counting that of the server's steps alone. */
async function rate(login: LoginMechanism, accept: AcceptMechanism, count: number): Promise<number> {
  const place = { channel: "bench", random: randomBytes };
  const cookies = new Cookies(randomBytes(32), 60_000);
  const server = serverExchange({
    ...place,
    name: "server",
    pattern: "router",
    mechanisms: [accept],
    cookies,
  });
  let spent = 0;
  for (let i = 0; i < count; i++) {
    const client = clientExchange({ ...place, name: `client-${i}`, pattern: "dealer", mechanism: login });
    let [mine, theirs] = [client.initial, server.initial];
    let said: Buffer = Buffer.alloc(0);
    for (;;) {
      const up = await client.step(mine, said);
      mine = up.state;
      if (up.send === undefined) break;
      const before = process.cpuUsage();
      const down = await server.step(theirs, up.send, { path: Buffer.alloc(32), now: i });
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
      theirs = down.state;
      said = down.send as Buffer;
    }
  }
  return (1_000_000 * count) / spent;
}

/** A DEALER that sends to a ROUTER without awaiting each, with new keys every so many messages. */
async function traffic(key: Buffer, messages: number, renewMessages: number) {
  const server = new Router({ linger: 0, signing: { accept: psk({ key }), sender: "server" } });
  await server.bind("tcp://127.0.0.1:*");
  const signing = { login: psk({ key }), sender: "client", sessions: { renewMessages } };
  const client = new Dealer({ linger: 0, signing });
  client.connect(server.lastEndpoint as string);
  const body = Buffer.alloc(64, 1);
  await client.send(body);
  await server.receive();
  const sending = (async () => {
    for (let sent = 0; sent < messages; sent++) {
      const taken = client.send(body);
      if (sent % BURST === 0) {
        await taken;
        await nextTurn();
      }
    }
  })();
  let [pause, last, received] = [0, performance.now(), 0];
  while (received < messages) {
    await server.receive();
    received++;
    const now = performance.now();
    pause = Math.max(pause, now - last);
    last = now;
  }
  await sending;
  const { stats } = server;
  const refused = Object.values(stats.rejected).reduce((sum, count) => sum + count, 0);
  const { renewed } = server.sessions.stats;
  client.close();
  server.close();
  return { pause, lost: messages - received + stats.lost + refused, renewed };
}
