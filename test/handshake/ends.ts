// Two ends of an exchange in memory: what each sends is handed to the other by whoever drives them.

import { createHash } from "node:crypto";
import {
  type AcceptMechanism,
  type ClientState,
  Cookies,
  clientExchange,
  type Failure,
  type LoginMechanism,
  type Random,
  type ServerState,
  type Session,
  serverExchange,
} from "countersign/handshake";

export const NOTHING = Buffer.alloc(0);
/** Where the client's messages come from. */
export const PATH = Buffer.from("path");

/** Bytes that look random and are the same for a seed at each run. */
export function seeded(seed: string): Random {
  let count = 0;
  return (bytes) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < bytes; have += 32) {
      blocks.push(createHash("sha256").update(`${seed} ${count++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, bytes);
  };
}

/** How a meeting is set up. */
export interface Meeting {
  readonly login: LoginMechanism;
  readonly accept: readonly AcceptMechanism[];
  readonly client?: string;
  readonly server?: string;
  readonly clientChannel?: string;
  readonly serverChannel?: string;
  readonly seed?: string;
}

/** One end, with its state inside. */
export interface End {
  take(frame: Buffer): Promise<Buffer | undefined>;
  readonly session: Session | undefined;
  readonly error: Failure | undefined;
  readonly phase: string;
}

export function clientEnd(meeting: Meeting): End {
  const { login, client = "client", clientChannel = "shell", seed = "client" } = meeting;
  const options = { name: client, pattern: "dealer", channel: clientChannel, mechanism: login } as const;
  const exchange = clientExchange({ ...options, random: seeded(seed) });
  let state: ClientState = exchange.initial;
  let session: Session | undefined;
  let error: Failure | undefined;
  return {
    async take(frame) {
      const step = await exchange.step(state, frame);
      state = step.state;
      session ??= step.done;
      error ??= step.error;
      return step.send;
    },
    get session() {
      return session;
    },
    get error() {
      return error;
    },
    get phase() {
      return state.phase;
    },
  };
}

export function serverEnd(meeting: Meeting & { readonly path?: Buffer }): End {
  const { accept, server = "server", serverChannel = "shell", seed = "server", path = PATH } = meeting;
  const random = seeded(`${seed} s`);
  const exchange = serverExchange({
    name: server,
    pattern: "router",
    channel: serverChannel,
    mechanisms: accept,
    random,
    cookies: new Cookies(seeded(`${seed} cookie`)(32), 10_000),
  });
  let state: ServerState = exchange.initial;
  let session: Session | undefined;
  let error: Failure | undefined;
  return {
    async take(frame) {
      const step = await exchange.step(state, frame, { path, now: 1000 });
      state = step.state;
      session ??= step.done;
      error ??= step.error;
      return step.send;
    },
    get session() {
      return session;
    },
    get error() {
      return error;
    },
    get phase() {
      return state.phase;
    },
  };
}

/** Lets both talk until neither has anything more to say; `meddle` may change what passes. */
export async function converse(
  client: End,
  server: End,
  meddle: (frame: Buffer, direction: "up" | "down") => Buffer | undefined = (frame) => frame,
): Promise<void> {
  let up = await client.take(NOTHING);
  while (up !== undefined) {
    const passed = meddle(up, "up");
    const down = passed && (await server.take(passed));
    const back = down && meddle(down, "down");
    up = back && (await client.take(back));
  }
}
