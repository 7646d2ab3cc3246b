// The types of the drop-in sockets: what compiled against zeromq compiles against countersign, a key is required,
// origins and codecs show. The compiler is the judge (`npm run check:types` covers tests).

import type * as countersign from "countersign";
import {
  Dealer,
  generateKey,
  type Origin,
  type Publisher,
  Pull,
  type Push,
  type Request,
  type Router,
  type Subscriber,
  type XPublisher,
} from "countersign";
import { json } from "countersign/codec";
import { psk } from "countersign/handshake";
import { expectTypeOf, test } from "vitest";
import type * as zmq from "zeromq";

interface Job {
  readonly id: number;
}
interface Outcome {
  readonly ok: boolean;
}

type SocketName =
  | "Router"
  | "Dealer"
  | "Publisher"
  | "Subscriber"
  | "XPublisher"
  | "XSubscriber"
  | "Request"
  | "Reply"
  | "Push"
  | "Pull"
  | "Pair";

/** Names of one package's sockets whose instances lack a member that zeromq's have. */
type Lacking = {
  [Name in SocketName]: Exclude<
    keyof InstanceType<(typeof zmq)[Name]>,
    keyof InstanceType<(typeof countersign)[Name]>
  >;
}[SocketName];

/** Options that zeromq's constructors take and ours do not. */
type LackingOptions = {
  [Name in SocketName]: Exclude<
    keyof NonNullable<ConstructorParameters<(typeof zmq)[Name]>[0]>,
    keyof ConstructorParameters<(typeof countersign)[Name]>[0]
  >;
}[SocketName];

test("every value that zeromq exports is exported", () => {
  expectTypeOf<Exclude<keyof typeof zmq, keyof typeof countersign | "default">>().toEqualTypeOf<never>();
});

test("every socket has the members of zeromq's", () => {
  expectTypeOf<Lacking>().toEqualTypeOf<never>();
});

test("every socket takes the options of zeromq's", () => {
  expectTypeOf<LackingOptions>().toEqualTypeOf<never>();
});

test("every socket is a zeromq socket", () => {
  expectTypeOf<Router>().toExtend<zmq.Socket>();
  expectTypeOf<Router>().toExtend<zmq.Readable>();
  expectTypeOf<Router>().toExtend<zmq.Writable>();
  expectTypeOf<Publisher>().toExtend<zmq.Writable>();
  expectTypeOf<Subscriber>().toExtend<zmq.Readable>();
  expectTypeOf<Pull>().not.toExtend<zmq.Writable>();
  expectTypeOf<Push>().not.toExtend<zmq.Readable>();
});

test("signing is required, with a key or mechanisms, and unknown options are refused", () => {
  type Options = ConstructorParameters<typeof Router>[0];
  const key = generateKey();
  expectTypeOf({ linger: 0, signing: { key } }).toExtend<Options>();
  expectTypeOf<{ linger: number }>().not.toExtend<Options>();
  expectTypeOf({ linger: 0, signing: { accept: psk({ key }) } }).toExtend<Options>();
  // @ts-expect-error: there is no option of this name
  const misspelt: Options = { signing: { key }, mandatry: true };
  // @ts-expect-error: nor among those of signing
  const misspeltInside: Options = { signing: { key, chanel: "shell" } };
  void [misspelt, misspeltInside];
});

test("without a codec, messages are frames with an origin", () => {
  expectTypeOf<Router["receive"]>().returns.resolves.toExtend<Buffer[]>();
  expectTypeOf<Awaited<ReturnType<Router["receive"]>>["origin"]>().toEqualTypeOf<Origin>();
  expectTypeOf<Router["send"]>().parameter(0).toEqualTypeOf<zmq.MessageLike | zmq.MessageLike[]>();
  expectTypeOf<Dealer["send"]>().parameter(0).toEqualTypeOf<zmq.MessageLike | zmq.MessageLike[]>();
});

test("a codec types what arrives and what is sent, behind the routing frames", () => {
  expectTypeOf<Dealer<Outcome, Job>["send"]>().parameter(0).toEqualTypeOf<[Job]>();
  expectTypeOf<Awaited<ReturnType<Dealer<Outcome, Job>["receive"]>>[0]>().toEqualTypeOf<Outcome>();
  expectTypeOf<Awaited<ReturnType<Router<Job, Outcome>["receive"]>>[0]>().toEqualTypeOf<Buffer>();
  expectTypeOf<Awaited<ReturnType<Router<Job, Outcome>["receive"]>>[1]>().toEqualTypeOf<Job>();
  expectTypeOf<Request<Outcome, Job>["send"]>().parameter(0).toEqualTypeOf<[Job]>();
  expectTypeOf<Publisher<Job>["send"]>().parameter(0).toEqualTypeOf<[topic: string | Buffer, Job]>();
  expectTypeOf<Awaited<ReturnType<Subscriber<Job>["receive"]>>[1]>().toEqualTypeOf<Job>();
});

test("a codec in the options says what a socket carries", () => {
  const signing = { key: generateKey() };
  const pull = () => new Pull({ signing, codec: json<Job>() });
  const dealer = () => new Dealer({ signing, codec: json<Outcome, Job>() });
  const plain = () => new Dealer({ signing });
  expectTypeOf(pull).returns.toEqualTypeOf<Pull<Job>>();
  expectTypeOf(dealer).returns.toEqualTypeOf<Dealer<Outcome, Job>>();
  expectTypeOf(plain).returns.toEqualTypeOf<Dealer>();
});

test("what an XPUB receives may be a subscription, which has no origin", () => {
  expectTypeOf<Awaited<ReturnType<XPublisher["receive"]>>["origin"]>().toEqualTypeOf<Origin | undefined>();
});
