// The two sides of a login storm, each a process of its own: one peer that says hello thousands of times a second, and begins
// a handshake with each cookie that it gets without ever proving anything; and the honest clients that log in meanwhile.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Dealer } from "countersign";
import { psk } from "countersign/handshake";
import * as zmq from "zeromq";
import { read, write } from "../../src/handshake/messages.js";
import { PATTERNS } from "../../src/wire/patterns.js";
import { serve } from "../child.js";

/** What a hostile peer has said. */
export interface Flood {
  readonly hellos: number;
  readonly opens: number;
  readonly millis: number;
}

const MECHANISM = Buffer.from("psk");
const TICK = 10;

/** Another name each time: a cookie is for the one that asked. */
const nameOf = (nonce: Buffer) => Buffer.from(`hostile-${nonce.toString("hex", 0, 4)}`);

let flooding: Promise<Flood>;
let over = false;

/** Begins to say hello, so many times a second, for one second at least. */
function flood({ address, perSecond }: { address: string; perSecond: number }): void {
  const hostile = new zmq.Dealer({ linger: 0, sendHighWaterMark: 0 });
  hostile.connect(address);
  const began = performance.now();
  let [hellos, opens] = [0, 0];
  const answers: Buffer[] = [];
  const answering = (async () => {
    for await (const [frame] of hostile) {
      const cookie = read(frame as Buffer);
      if (cookie?.type !== "cookie") continue;
      const { nonce } = cookie;
      const [pattern, share, data] = [Buffer.from([PATTERNS.dealer]), randomBytes(32), Buffer.alloc(0)];
      answers.push(
        write("open", { ...cookie, client: nameOf(nonce), pattern, mechanism: MECHANISM, share, data }),
      );
    }
  })();
  flooding = (async () => {
    while (!over || hellos < perSecond) {
      const due = ((performance.now() - began) * perSecond) / 1000;
      for (; hellos < due; hellos++) {
        const nonce = randomBytes(32);
        await hostile.send(write("hello", { nonce, client: nameOf(nonce), mechanism: MECHANISM }));
      }
      for (const open of answers.splice(0)) {
        opens++;
        await hostile.send(open);
      }
      await pause(TICK);
    }
    hostile.close();
    await answering;
    return { hellos, opens, millis: performance.now() - began };
  })();
}

function calm(): Promise<Flood> {
  over = true;
  return flooding;
}

/** Logs in as many clients at once, each of which says one thing; resolves when all of it has been taken. */
async function logIn({ address, key, clients }: { address: string; key: Uint8Array; clients: number }) {
  const sends = Array.from({ length: clients }, (_, i) => {
    const dealer = new Dealer({ linger: 0, signing: { login: psk({ key }), sender: `honest-${i}` } });
    dealer.connect(address);
    return dealer.send("here");
  });
  await Promise.all(sends);
}

const handlers = { flood, calm, logIn };
export type CrowdHandlers = typeof handlers;
serve(handlers);
