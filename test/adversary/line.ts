// A line: two signed sockets that speak to each other, and the attacker between them. Each flow of messages from one
// socket type to another is a row of FLOWS, so that an attack is written once and tried on all of them.

import { randomBytes } from "node:crypto";

import * as signed from "countersign";
import type { Codec } from "countersign/codec";
import { onTestFinished } from "vitest";

import type { Direction } from "./connection.js";
import { Inbox, listen } from "./inbox.js";
import { Attacker } from "./wire-proxy.js";

/** What both ends hold unless a test says otherwise. */
export const KEY = randomBytes(32);
export const CHANNEL = "orders";
export const SENDER = "alice";
export const RECEIVER = "bob";
export const TOPIC = "prices";

export type Signing = Partial<signed.SigningOptions>;

export interface Sides {
  readonly sender?: Signing;
  readonly receiver?: Signing;
  /** The receiver's; the sender has none and can send what no codec would encode. */
  readonly codec?: Codec<unknown>;
}

/** What a flow needs of a socket, whatever its type. */
interface AnySocket {
  readonly stats: signed.SocketStats;
  readonly closed: boolean;
  readonly lastEndpoint: string | null;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  close(): void;
}

export type Body = readonly (string | Buffer)[];

export interface Ends {
  readonly attacker: Attacker;
  readonly sender: AnySocket;
  readonly receiver: AnySocket;
  readonly inbox: Inbox;
  /** Sends one honest message as an application would, with whatever round trip the pattern asks for. */
  send(body: Body): Promise<void>;
  /** What has to happen after a new connection before the sender can reach the receiver again. */
  again?(): Promise<void>;
}

export interface Flow {
  readonly name: string;
  /** Which way the messages under attack travel. */
  readonly direction: Direction;
  /** Where the signature frame stands on the wire. */
  readonly signatureAt: number;
  /** A REQ takes one reply a request, so it gets the forged one instead of the genuine one. */
  readonly oneEach?: boolean;
  /** The sender waits for an answer before it can send again. */
  readonly roundTrip?: boolean;
  /** A REP answers each message that it refuses; the attacker swallows these answers. */
  readonly refusalsBack?: boolean;
  open(sides: Sides): Promise<Ends>;
}

const options = (name: string, signing: Signing = {}) => ({
  linger: 0,
  signing: { key: KEY, sender: name, channel: CHANNEL, ...signing },
});
/** ROUTER and the PUB family drop what is over their mark, and these tests send faster than the attacker reads. */
const UNBOUNDED = { sendHighWaterMark: 0 };

type Options = ReturnType<typeof options> & { sendHighWaterMark?: number };

const asSender = ({ sender }: Sides) => options(SENDER, sender);
/** Typed as if it had no codec: the flows themselves exchange frames. */
const asReceiver = ({ receiver, codec }: Sides): Options => ({
  ...options(RECEIVER, receiver),
  ...(codec && { codec }),
});

/** Closes a socket when the test is over. */
export function opened<Socket extends { close(): void }>(socket: Socket): Socket {
  onTestFinished(() => socket.close());
  return socket;
}

/** A signer without a socket, for messages that a holder of the key makes for the attacker. */
export function accomplice(
  given: Partial<signed.SignerOptions> & Pick<signed.SignerOptions, "pattern">,
): signed.Signer {
  return opened(new signed.Signer({ key: KEY, sender: "mallory", channel: CHANNEL, ...given }));
}

/** The message of an accomplice as it would travel on this flow. */
export function onWire(
  { name, signatureAt }: Flow,
  signer: signed.Signer,
  body: Body,
  to = RECEIVER,
): Buffer[] {
  const delimiter = signatureAt === 1 && !/SUB$/.test(name) ? [Buffer.alloc(0)] : [];
  if (signer.pattern === "router") return signer.sign(["id", ...delimiter, ...body], { to }).slice(1);
  if (signer.pattern === "rep") return [...delimiter, ...signer.sign([...body], { to })];
  if (signer.pattern === "req") return [...delimiter, ...signer.sign([...body])];
  if (/^X?PUB/.test(name)) return signer.sign([TOPIC, ...body]);
  return signer.sign([...delimiter, ...body]);
}

/** The socket type that sends, as the wire names it. */
export function senderPattern({ name }: Flow): signed.Pattern {
  return name.split(" ")[0]?.toLowerCase() as signed.Pattern;
}

/** Binds one end, connects the other to it through an attacker, and waits until the connection stands. */
export async function between(bound: AnySocket, connecting: AnySocket): Promise<Attacker> {
  await bound.bind("tcp://127.0.0.1:*");
  const attacker = await Attacker.between(bound.lastEndpoint as string);
  onTestFinished(() => attacker.close());
  connecting.connect(attacker.endpoint);
  await attacker.connection(0);
  return attacker;
}

const withoutFirst = (message: readonly Buffer[]) => message.slice(1);
const withoutEnvelope = (message: readonly Buffer[]) => message.slice(2);

const dealerToRouter: Flow = {
  name: "DEALER to ROUTER",
  direction: "up",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.Router(asReceiver(sides)));
    const sender = opened(new signed.Dealer({ ...asSender(sides), routingId: "client" }));
    const attacker = await between(receiver, sender);
    const send = (body: Body) => sender.send([...body]);
    return { attacker, sender, receiver, send, inbox: listen(receiver, withoutFirst) };
  },
};

const routerToDealer: Flow = {
  name: "ROUTER to DEALER",
  direction: "down",
  signatureAt: 0,
  async open(sides) {
    const sender = opened(new signed.Router({ ...asSender(sides), ...UNBOUNDED }));
    const receiver = opened(new signed.Dealer({ ...asReceiver(sides), routingId: "client" }));
    const attacker = await between(sender, receiver);
    let client: Buffer | null = null;
    const hellos = listen(sender, undefined, ([id = null]) => {
      client = id;
    });
    const again = async () => {
      await receiver.send("hello");
      await hellos.next();
    };
    await again();
    const send = (body: Body) => sender.send([client, ...body]);
    return { attacker, sender, receiver, send, again, inbox: listen(receiver) };
  },
};

const reqToRep: Flow = {
  name: "REQ to REP",
  roundTrip: true,
  direction: "up",
  signatureAt: 1,
  refusalsBack: true,
  async open(sides) {
    const receiver = opened(new signed.Reply(asReceiver(sides)));
    const sender = opened(new signed.Request(asSender(sides)));
    const attacker = await between(receiver, sender);
    const send = async (body: Body) => {
      await sender.send([...body]);
      await sender.receive();
    };
    const inbox = listen(receiver, undefined, () => receiver.send("done"));
    return { attacker, sender, receiver, send, inbox };
  },
};

const repToReq: Flow = {
  name: "REP to REQ",
  roundTrip: true,
  direction: "down",
  signatureAt: 1,
  oneEach: true,
  async open(sides) {
    const sender = opened(new signed.Reply(asSender(sides)));
    const receiver = opened(new signed.Request(asReceiver(sides)));
    const attacker = await between(sender, receiver);
    const inbox = new Inbox();
    const send = async (body: Body) => {
      await receiver.send("ask");
      await sender.receive();
      await sender.send([...body]);
      await takeReply(receiver, inbox);
    };
    return { attacker, sender, receiver, send, inbox };
  },
};

const reqToRouter: Flow = {
  name: "REQ to ROUTER",
  roundTrip: true,
  direction: "up",
  signatureAt: 1,
  async open(sides) {
    const receiver = opened(new signed.Router(asReceiver(sides)));
    const sender = opened(new signed.Request(asSender(sides)));
    const attacker = await between(receiver, sender);
    const send = async (body: Body) => {
      await sender.send([...body]);
      await sender.receive();
    };
    const inbox = listen(receiver, withoutEnvelope, ([client = null]) =>
      receiver.send([client, null, "done"]),
    );
    return { attacker, sender, receiver, send, inbox };
  },
};

const routerToReq: Flow = {
  name: "ROUTER to REQ",
  roundTrip: true,
  direction: "down",
  signatureAt: 1,
  oneEach: true,
  async open(sides) {
    const sender = opened(new signed.Router({ ...asSender(sides), ...UNBOUNDED }));
    const receiver = opened(new signed.Request(asReceiver(sides)));
    const attacker = await between(sender, receiver);
    const inbox = new Inbox();
    const send = async (body: Body) => {
      await receiver.send("ask");
      const [client = null, delimiter = null] = await sender.receive();
      await sender.send([client, delimiter, ...body]);
      await takeReply(receiver, inbox);
    };
    return { attacker, sender, receiver, send, inbox };
  },
};

/** A REQ is told of a bad reply by an error, and only by this one. */
async function takeReply(socket: signed.Request, inbox: Inbox): Promise<void> {
  try {
    inbox.push(await socket.receive());
  } catch (error) {
    if (!(error instanceof signed.BadReplyError)) throw error;
  }
}

const dealerToRep: Flow = {
  name: "DEALER to REP",
  roundTrip: true,
  direction: "up",
  signatureAt: 1,
  refusalsBack: true,
  async open(sides) {
    const receiver = opened(new signed.Reply(asReceiver(sides)));
    const sender = opened(new signed.Dealer(asSender(sides)));
    const attacker = await between(receiver, sender);
    const send = async (body: Body) => {
      await sender.send([null, ...body]);
      await sender.receive();
    };
    const inbox = listen(receiver, undefined, () => receiver.send("done"));
    return { attacker, sender, receiver, send, inbox };
  },
};

const repToDealer: Flow = {
  name: "REP to DEALER",
  direction: "down",
  signatureAt: 1,
  async open(sides) {
    const sender = opened(new signed.Reply(asSender(sides)));
    const receiver = opened(new signed.Dealer(asReceiver(sides)));
    const attacker = await between(sender, receiver);
    const send = async (body: Body) => {
      await receiver.send([null, "ask"]);
      await sender.receive();
      await sender.send([...body]);
    };
    return { attacker, sender, receiver, send, inbox: listen(receiver, withoutFirst) };
  },
};

const routerToRouter: Flow = {
  name: "ROUTER to ROUTER",
  direction: "up",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.Router({ ...asReceiver(sides), routingId: "there" }));
    const sender = opened(
      new signed.Router({ ...options(SENDER, { to: RECEIVER, ...sides.sender }), ...UNBOUNDED }),
    );
    sender.mandatory = true;
    const attacker = await between(receiver, sender);
    const send = (body: Body) => sender.send(["there", ...body]);
    const inbox = listen(receiver, withoutFirst);
    const again = () => untilHeard(send, inbox);
    await again();
    return { attacker, sender, receiver, send, again, inbox };
  },
};

const dealerToDealer: Flow = {
  name: "DEALER to DEALER",
  direction: "up",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.Dealer(asReceiver(sides)));
    const sender = opened(new signed.Dealer(asSender(sides)));
    const attacker = await between(receiver, sender);
    const send = (body: Body) => sender.send([...body]);
    return { attacker, sender, receiver, send, inbox: listen(receiver) };
  },
};

const pushToPull: Flow = {
  name: "PUSH to PULL",
  direction: "up",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.Pull(asReceiver(sides)));
    const sender = opened(new signed.Push(asSender(sides)));
    const attacker = await between(receiver, sender);
    const send = (body: Body) => sender.send([...body]);
    return { attacker, sender, receiver, send, inbox: listen(receiver) };
  },
};

const pairToPair: Flow = {
  name: "PAIR to PAIR",
  direction: "down",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.Pair(asReceiver(sides)));
    const sender = opened(new signed.Pair(asSender(sides)));
    const attacker = await between(sender, receiver);
    listen(sender); // only a PAIR that reads notices that its peer has gone, and takes another
    const send = (body: Body) => sender.send([...body]);
    return { attacker, sender, receiver, send, inbox: listen(receiver) };
  },
};

const newPublisher = {
  PUB: (given: Options) => new signed.Publisher(given),
  XPUB: (given: Options) => new signed.XPublisher(given),
};
const newSubscriber = {
  SUB: (given: Options) => new signed.Subscriber(given),
  XSUB: (given: Options) => new signed.XSubscriber(given),
};

function publishing(publishes: keyof typeof newPublisher, subscribes: keyof typeof newSubscriber): Flow {
  return {
    name: `${publishes} to ${subscribes}`,
    direction: "down",
    signatureAt: 1,
    async open(sides) {
      const receiver = opened(newSubscriber[subscribes](asReceiver(sides)));
      const sender = opened(newPublisher[publishes]({ ...asSender(sides), ...UNBOUNDED }));
      const attacker = await between(sender, receiver);
      if (receiver instanceof signed.Subscriber) receiver.subscribe();
      else await receiver.send(Buffer.of(1));
      const inbox = listen(receiver, withoutFirst);
      const send = (body: Body) => sender.send([TOPIC, ...body]);
      const again = () => untilHeard(send, inbox);
      await again();
      return { attacker, sender, receiver, send, again, inbox };
    },
  };
}

/**
 * PUB and ROUTER are not told when a peer is there: send until something arrives, then take all of it. What is sent
 * means something to every codec.
 */
async function untilHeard(send: Ends["send"], inbox: Inbox): Promise<void> {
  const before = inbox.all.length;
  while (inbox.all.length === before) {
    await send(["1"]).catch(unlessUnreachable);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { frames } = await inbox.next();
  await send(["2"]);
  while ((await inbox.next()).frames[0] === frames[0]);
}

function unlessUnreachable(error: unknown): void {
  if ((error as { code?: string }).code !== "EHOSTUNREACH") throw error;
}

const xsubToXpub: Flow = {
  name: "XSUB to XPUB",
  direction: "up",
  signatureAt: 0,
  async open(sides) {
    const receiver = opened(new signed.XPublisher(asReceiver(sides)));
    const sender = opened(new signed.XSubscriber({ ...asSender(sides), ...UNBOUNDED }));
    const attacker = await between(receiver, sender);
    const send = (body: Body) => sender.send([...body]);
    return { attacker, sender, receiver, send, inbox: listen(receiver) };
  },
};

export const FLOWS: readonly Flow[] = [
  dealerToRouter,
  routerToDealer,
  reqToRep,
  repToReq,
  reqToRouter,
  routerToReq,
  dealerToRep,
  repToDealer,
  routerToRouter,
  dealerToDealer,
  pushToPull,
  pairToPair,
  publishing("PUB", "SUB"),
  publishing("XPUB", "SUB"),
  publishing("PUB", "XSUB"),
  publishing("XPUB", "XSUB"),
  xsubToXpub,
];

export function flowNamed(name: string): Flow {
  const flow = FLOWS.find((candidate) => candidate.name === name);
  if (flow === undefined) throw new Error(`no flow is called ${name}`);
  return flow;
}
