// The client's end of an exchange, pure: hello, open, the mechanism's steps, and the server's confirmation
// (docs/handshake.md, section 4). Frames in, frames out; what is for another exchange, or comes twice, changes nothing.

import { hears, PATTERN_NAMES, PATTERNS, type Pattern } from "../wire/patterns.js";
import { isName } from "./exchange.js";
import { fail, must } from "./failures.js";
import {
  type AnyRole,
  type Context,
  guardedLater,
  type LoginMechanism,
  type Proven,
  type Random,
  type Step,
} from "./mechanism.js";
import { type Fields, NONCE_BYTES, read, write } from "./messages.js";
import { isEqual, Transcript } from "./schedule.js";
import { confirmationOf, establish, type Session } from "./session.js";
import { Share } from "./x25519.js";

/** Who a client is, and how it logs in. */
export interface ClientOptions {
  /** Its name. */
  readonly name: string;
  /** Its socket type. */
  readonly pattern: Pattern;
  /** What the messages will be for; both ends are configured with the same. */
  readonly channel: string;
  /** How it logs in. */
  readonly mechanism: LoginMechanism;
  /** Random bytes. */
  readonly random: Random;
}

/** Where a client's exchange is. */
export type ClientState =
  | { readonly phase: "idle" }
  | { readonly phase: "hello"; readonly nonce: Buffer }
  | (Talk & { readonly phase: "open" })
  | (Talk & {
      readonly phase: "steps";
      readonly server: string;
      readonly serverPattern: Pattern;
      readonly shared: Buffer;
    })
  | { readonly phase: "over" };

interface Talk {
  readonly nonce: Buffer;
  readonly transcript: Transcript;
  readonly role: AnyRole<Proven>;
  readonly inner: unknown;
  readonly share: Share | undefined;
}

type Outcome = Step<ClientState, Session>;

/** One end of an exchange: step it with what arrives; the first step is given no bytes. */
export interface ClientExchange {
  /** Where it begins. */
  readonly initial: ClientState;
  /** Takes a frame. A mechanism may have to compute for long: the next frame waits for that. */
  step(state: ClientState, frame: Buffer): Promise<Outcome>;
}

const NOTHING = Buffer.alloc(0);

/** The client's end. */
export function clientExchange(options: ClientOptions): ClientExchange {
  return {
    initial: { phase: "idle" },
    step: async (state, frame) => {
      const outcome = await guardedLater(state, () => take(options, state, frame));
      return outcome.error === undefined ? outcome : { ...outcome, state: { phase: "over" } };
    },
  };
}

async function take(options: ClientOptions, state: ClientState, frame: Buffer): Promise<Outcome> {
  if (state.phase === "idle") return sayHello(options);
  const message = state.phase === "over" ? undefined : read(frame);
  if (message === undefined || state.phase === "over") return { state };
  if (!("nonce" in message) || !isEqual(message.nonce, state.nonce)) return { state };
  if (message.type === "refused") return fail("refused");
  if (message.type === "cookie" && state.phase === "hello") return open(options, state.nonce, message.cookie);
  if (message.type === "answer" && state.phase === "open") return takeAnswer(options, state, message, frame);
  if (state.phase !== "steps") return { state };
  if (message.type === "step") return goOn(options, state, message.data, frame);
  if (message.type === "finish") return finish(options, state, message, frame);
  return { state };
}

function sayHello({ name, mechanism, random }: ClientOptions): Outcome {
  const nonce = random(NONCE_BYTES);
  const fields = { nonce, client: Buffer.from(name), mechanism: Buffer.from(mechanism.name) };
  return { state: { phase: "hello", nonce }, send: write("hello", fields) };
}

async function open(options: ClientOptions, nonce: Buffer, cookie: Buffer): Promise<Outcome> {
  const { name, pattern, channel, mechanism, random } = options;
  const before = Transcript.begin(channel);
  const role = mechanism.client();
  const context = contextOf(options, before, before);
  const {
    state: inner,
    send: data = NOTHING,
    error,
    cause,
  } = await role.step(role.initial, NOTHING, context);
  if (error !== undefined) return fail(error, cause);
  const share = mechanism.forwardSecrecy ? new Share(random(32)) : undefined;
  const send = write("open", {
    nonce,
    client: Buffer.from(name),
    pattern: Buffer.from([PATTERNS[pattern]]),
    mechanism: Buffer.from(mechanism.name),
    share: share?.bytes ?? NOTHING,
    cookie,
    data,
  });
  const transcript = before.with("client", send);
  return { state: { phase: "open", nonce, transcript, role, inner, share }, send };
}

async function takeAnswer(
  options: ClientOptions,
  state: ClientState & { phase: "open" },
  answer: Fields<"answer">,
  frame: Buffer,
): Promise<Outcome> {
  const server = answer.server.toString("latin1");
  const pattern = PATTERN_NAMES[answer.pattern[0] as number];
  must(isName(server) && server !== options.name, "other-place");
  must(pattern !== undefined && hears(options.pattern, pattern), "other-place");
  must(answer.share.length === (state.share?.bytes.length ?? 0), "other-options");
  // Nobody is proven yet, but a share that leads to nothing is refused before anything is computed for it.
  const shared = state.share?.agree(answer.share) ?? NOTHING;
  return goOn(
    options,
    { ...state, phase: "steps", server, serverPattern: pattern, shared },
    answer.data,
    frame,
  );
}

/** Gives the mechanism what the server sent, and sends what it answers. */
async function goOn(
  options: ClientOptions,
  state: ClientState & { phase: "steps" },
  data: Buffer,
  frame: Buffer,
): Promise<Outcome> {
  const heard = state.transcript.with("server", frame);
  const step = await state.role.step(state.inner, data, contextOf(options, state.transcript, heard));
  if (step.error !== undefined) return fail(step.error, step.cause);
  // A client that is done before the server has confirmed has something else in mind than this exchange.
  must(step.done === undefined, "unexpected");
  const send = write("step", { nonce: state.nonce, data: step.send ?? NOTHING });
  return { state: { ...state, inner: step.state, transcript: heard.with("client", send) }, send };
}

async function finish(
  options: ClientOptions,
  state: ClientState & { phase: "steps" },
  { data, confirmation }: Fields<"finish">,
  frame: Buffer,
): Promise<Outcome> {
  const heard = state.transcript.with("server", frame.subarray(0, frame.length - confirmation.length));
  const step = await state.role.step(state.inner, data, contextOf(options, state.transcript, heard));
  if (step.error !== undefined) return fail(step.error, step.cause);
  const { done } = step;
  must(done !== undefined, "bad-server-proof");
  const { server, serverPattern, shared } = state;
  const agreement = { transcript: heard.hash, secret: done.secret, shared };
  must(isEqual(confirmation, confirmationOf(agreement)), "bad-confirmation");
  const { mechanism, name: client, pattern: clientPattern } = options;
  const { forwardSecrecy, name } = mechanism;
  const parties = {
    user: done.user,
    mechanism: name,
    client,
    server,
    clientPattern,
    serverPattern,
    forwardSecrecy,
  };
  return { state: { phase: "over" }, done: establish("client", parties, agreement) };
}

function contextOf({ name, random }: ClientOptions, before: Transcript, now: Transcript): Context {
  return { theirs: before.hash, ours: now.hash, client: name, random };
}
