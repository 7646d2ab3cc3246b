// Vectors of whole exchanges (docs/handshake.md): what each end was given, what they said, and what they came to. Random bytes
// are counted through: 00 01 02 … for the client, 80 81 82 … for the server.

import { clientExchange } from "../../src/handshake/client.js";
import { Cookies } from "../../src/handshake/cookie.js";
import type { AcceptMechanism, LoginMechanism, Random } from "../../src/handshake/mechanism.js";
import { read } from "../../src/handshake/messages.js";
import { psk } from "../../src/handshake/psk.js";
import { aliveMessage, answerRenewal, beginRenewal, endRenewal } from "../../src/handshake/renewal.js";
import { scram } from "../../src/handshake/scram/scram.js";
import { mintVerifier } from "../../src/handshake/scram/verifier.js";
import { serverExchange } from "../../src/handshake/server.js";
import type { Session } from "../../src/handshake/session.js";

/** What a session of a vector holds. */
export interface SessionVector {
  readonly id: string;
  readonly lineage: string;
  readonly clientKey: string;
  readonly serverKey: string;
  /** `exportKey("test", 32)`. */
  readonly exported: string;
}

/** One exchange. */
export interface ExchangeVector {
  readonly name: string;
  readonly mechanism: string;
  /** The key, or the password. */
  readonly secret: string;
  readonly user: string;
  readonly client: string;
  readonly clientPattern: string;
  readonly server: string;
  readonly serverPattern: string;
  readonly channel: string;
  readonly cookieSecret: string;
  /** Hello, cookie, open, answer, step, finish. */
  readonly messages: readonly string[];
  readonly session: SessionVector;
  /** The client's sign of life under it, with a nonce of 32 bytes AA. */
  readonly alive: string;
  readonly renewal: { readonly messages: readonly string[]; readonly session: SessionVector };
}

/** Bytes that count up from `first`. */
function counting(first: number): Random {
  let next = first;
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => next++ & 0xff));
}

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7 + 1));
const COOKIE_SECRET = Buffer.alloc(32, 0xc0);
const ARRIVAL = { path: Buffer.alloc(0), now: 0 };
const CHANNEL = "shell";

function vectorOf(session: Session): SessionVector {
  const { receiveKey, sendKey, id, lineage, end } = session;
  const [client, server] = end === "client" ? [sendKey, receiveKey] : [receiveKey, sendKey];
  return {
    id,
    lineage,
    clientKey: client.exportSecret().toString("hex"),
    serverKey: server.exportSecret().toString("hex"),
    exported: session.exportKey("test", 32).toString("hex"),
  };
}

async function exchange(
  name: string,
  login: LoginMechanism,
  accept: AcceptMechanism,
  given: { secret: string; user: string },
): Promise<ExchangeVector> {
  const [here, there] = [counting(0), counting(0x80)];
  const place = {
    client: "alice-laptop",
    clientPattern: "dealer",
    server: "kernel-1",
    serverPattern: "router",
  } as const;
  const client = clientExchange({
    name: place.client,
    pattern: place.clientPattern,
    channel: CHANNEL,
    mechanism: login,
    random: here,
  });
  const server = serverExchange({
    name: place.server,
    pattern: place.serverPattern,
    channel: CHANNEL,
    mechanisms: [accept],
    random: there,
    cookies: new Cookies(COOKIE_SECRET, 10_000),
  });
  const messages: Buffer[] = [];
  let [mine, theirs] = [client.initial, server.initial];
  let session: Session | undefined;
  let said: Buffer = Buffer.alloc(0);
  while (session === undefined) {
    const up = await client.step(mine, said);
    mine = up.state;
    session = up.done;
    if (up.send === undefined) break;
    const down = await server.step(theirs, up.send, ARRIVAL);
    theirs = down.state;
    messages.push(up.send, down.send as Buffer);
    said = down.send as Buffer;
  }
  if (session === undefined) throw new Error(`${name}: no session`);
  const hex = (bytes: Buffer) => bytes.toString("hex");
  return {
    name,
    mechanism: login.name,
    ...given,
    ...place,
    channel: CHANNEL,
    cookieSecret: hex(COOKIE_SECRET),
    messages: messages.map(hex),
    session: vectorOf(session),
    alive: hex(aliveMessage(session, Buffer.alloc(32, 0xaa))),
    renewal: renewalOf(session, here, there),
  };
}

/** Both ends hold the same keys: the client's session stands for the server's too, but for who speaks. */
function renewalOf(session: Session, here: Random, there: Random) {
  const { state, send } = beginRenewal(session, here);
  const asked = read(send);
  if (asked?.type !== "renew") throw new Error("no renewal");
  const answered = answerRenewal(session, asked, send, there);
  const reply = read(answered.send as Buffer);
  if (reply?.type !== "renewed") throw new Error("no renewal");
  const { done } = endRenewal(state, reply, answered.send as Buffer);
  const messages = [send, answered.send as Buffer].map((bytes) => bytes.toString("hex"));
  return { messages, session: vectorOf(done as Session) };
}

/** All of them, as text. */
export async function exchangesFile(): Promise<string> {
  const users = { alice: await mintVerifier("pencil", { iterations: 4096, salt: Buffer.alloc(16, 0x5a) }) };
  const pskGiven = { secret: KEY.toString("hex"), user: "alice-laptop" };
  const plain = { key: KEY, forwardSecrecy: false };
  const login = scram({ user: "alice", password: "pencil" });
  const exchanges = [
    await exchange("psk", psk({ key: KEY }), psk({ key: KEY }), pskGiven),
    await exchange("psk without forward secrecy", psk(plain), psk(plain), pskGiven),
    await exchange("scram", login, scram({ users }), { secret: "pencil", user: "alice" }),
  ];
  const about =
    "Whole exchanges and a renewal each, docs/handshake.md. Bytes in hexadecimal; made by `npm run vectors`.";
  return `${JSON.stringify({ about, verifiers: users, exchanges }, null, 2)}\n`;
}
