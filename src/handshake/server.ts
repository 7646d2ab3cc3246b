// The server's end of an exchange, pure (docs/handshake.md, section 4). Until a client comes back with the cookie that it was
// given, the state is "idle" and nothing is kept.

import { hears, PATTERN_NAMES, PATTERNS, type Pattern } from "../wire/patterns.js";
import type { Cookies } from "./cookie.js";
import { isName, MOST_STEPS } from "./exchange.js";
import { type Failure, fail, must } from "./failures.js";
import {
  type AcceptMechanism,
  type AnyRole,
  type Context,
  guardedLater,
  type Proven,
  type Random,
  type Step,
} from "./mechanism.js";
import { type Fields, NONCE_BYTES, read, write } from "./messages.js";
import { isEqual, Transcript } from "./schedule.js";
import { confirmationOf, establish, type Parties, type Session } from "./session.js";
import { Share } from "./x25519.js";

/** Who a server is, and whom it lets in. */
export interface ServerOptions {
  /** Its name. */
  readonly name: string;
  /** Its socket type. */
  readonly pattern: Pattern;
  /** What the messages will be for; both ends are configured with the same. */
  readonly channel: string;
  /** How clients may log in. */
  readonly mechanisms: readonly AcceptMechanism[];
  /** Random bytes. */
  readonly random: Random;
  /** Makes and checks its cookies. */
  readonly cookies: Cookies;
  /** Asked when a client has proven itself: why it may not come in all the same. */
  readonly refuses?: ((parties: Parties) => Failure | undefined) | undefined;
}

/** Where a message came from, and when. */
export interface Arrival {
  /** The way back: routing frames, hashed; empty where there is one way alone. */
  readonly path: Buffer;
  /** Milliseconds of a clock that never steps, from 0. */
  readonly now: number;
}

/** Where a server's exchange is. */
export type ServerState =
  | { readonly phase: "idle" }
  | {
      readonly phase: "steps";
      readonly nonce: Buffer;
      readonly transcript: Transcript;
      readonly mechanism: AcceptMechanism;
      readonly role: AnyRole<Proven>;
      readonly inner: unknown;
      readonly client: string;
      readonly clientPattern: Pattern;
      readonly share: Share | undefined;
      readonly theirShare: Buffer;
      readonly steps: number;
    }
  | { readonly phase: "over" };

type Outcome = Step<ServerState, Session>;

/** One end of an exchange: step it with what arrives. */
export interface ServerExchange {
  /** Where it begins. */
  readonly initial: ServerState;
  /** Takes a frame. A store may take its time: the next frame waits for that. */
  step(state: ServerState, frame: Buffer, arrival: Arrival): Promise<Outcome>;
}

const NOTHING = Buffer.alloc(0);

/** The server's end. */
export function serverExchange(options: ServerOptions): ServerExchange {
  return {
    initial: { phase: "idle" },
    step: async (state, frame, arrival) => {
      const outcome = await guardedLater(state, () => take(options, state, frame, arrival));
      return outcome.error === undefined ? outcome : { ...outcome, state: { phase: "over" } };
    },
  };
}

async function take(
  options: ServerOptions,
  state: ServerState,
  frame: Buffer,
  arrival: Arrival,
): Promise<Outcome> {
  const message = read(frame);
  if (state.phase === "over") return { state };
  must(message !== undefined, "malformed");
  if (message.type === "hello" && state.phase === "idle") {
    const { nonce } = message;
    const cookie = options.cookies.make({ ...message, path: arrival.path }, arrival.now);
    return { state, send: write("cookie", { nonce, cookie }) };
  }
  if (message.type === "open" && state.phase === "idle") return open(options, message, frame, arrival);
  if (state.phase === "idle") return fail("unexpected");
  if (message.type !== "step" || !isEqual(message.nonce, state.nonce)) return { state };
  return goOn(options, state, message, frame);
}

async function open(
  options: ServerOptions,
  message: Fields<"open">,
  frame: Buffer,
  { path, now }: Arrival,
): Promise<Outcome> {
  const { nonce } = message;
  must(options.cookies.isGood(message.cookie, { ...message, path }, now), "bad-cookie");
  const client = message.client.toString("latin1");
  const pattern = PATTERN_NAMES[message.pattern[0] as number];
  must(isName(client) && client !== options.name, "other-place");
  must(pattern !== undefined && hears(options.pattern, pattern), "other-place");
  const wanted = message.mechanism.toString("latin1");
  const mechanism = options.mechanisms.find(({ name }) => name === wanted);
  must(mechanism !== undefined, "unknown-mechanism");
  must(message.share.length === (mechanism.forwardSecrecy ? 32 : 0), "other-options");
  const role = mechanism.server();
  const before = Transcript.begin(options.channel);
  const heard = before.with("client", frame);
  const step = await role.step(role.initial, message.data, contextOf(options, client, before, heard));
  if (step.error !== undefined) return fail(step.error, step.cause);
  must(step.done === undefined, "unexpected");
  const share = mechanism.forwardSecrecy ? new Share(options.random(32)) : undefined;
  const send = write("answer", {
    nonce,
    answer: options.random(NONCE_BYTES),
    server: Buffer.from(options.name),
    pattern: Buffer.from([PATTERNS[options.pattern]]),
    share: share?.bytes ?? NOTHING,
    data: step.send ?? NOTHING,
  });
  const transcript = heard.with("server", send);
  const { share: theirShare } = message;
  const inner = step.state;
  const steps = 1;
  return {
    state: {
      phase: "steps",
      nonce,
      transcript,
      mechanism,
      role,
      inner,
      client,
      clientPattern: pattern,
      share,
      theirShare,
      steps,
    },
    send,
  };
}

async function goOn(
  options: ServerOptions,
  state: ServerState & { phase: "steps" },
  { nonce, data }: Fields<"step">,
  frame: Buffer,
): Promise<Outcome> {
  must(state.steps < MOST_STEPS, "too-long");
  const heard = state.transcript.with("client", frame);
  const context = contextOf(options, state.client, state.transcript, heard);
  const step = await state.role.step(state.inner, data, context);
  if (step.error !== undefined) return fail(step.error, step.cause);
  const answer = step.send ?? NOTHING;
  if (step.done !== undefined) return finish(options, state, step.done, answer, heard);
  const send = write("step", { nonce, data: answer });
  const transcript = heard.with("server", send);
  return { state: { ...state, inner: step.state, transcript, steps: state.steps + 1 }, send };
}

/** The client has proven itself, and only now is anything expensive done for it. */
function finish(
  options: ServerOptions,
  state: ServerState & { phase: "steps" },
  { user, secret }: Proven,
  data: Buffer,
  heard: Transcript,
): Outcome {
  const { mechanism, client, clientPattern, nonce } = state;
  const { name, forwardSecrecy } = mechanism;
  const ends = { client, server: options.name, clientPattern, serverPattern: options.pattern };
  const parties = { user, mechanism: name, ...ends, forwardSecrecy };
  const refused = options.refuses?.(parties);
  if (refused !== undefined) return fail(refused);
  const shared = state.share?.agree(state.theirShare) ?? NOTHING;
  const unconfirmed = write("finish", { nonce, data, confirmation: Buffer.alloc(32) });
  const said = unconfirmed.subarray(0, unconfirmed.length - 32);
  const agreement = { transcript: heard.with("server", said).hash, secret, shared };
  const send = Buffer.concat([said, confirmationOf(agreement)]);
  return { state: { phase: "over" }, send, done: establish("server", parties, agreement) };
}

function contextOf({ random }: ServerOptions, client: string, before: Transcript, now: Transcript): Context {
  return { theirs: before.hash, ours: now.hash, client, random };
}
