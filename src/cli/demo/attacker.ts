// The attacker's broker: plain sockets that carry everything, and everything he can do with what he carries. He holds
// no key of the others'.

import * as zmq from "zeromq";
import { generateKey } from "../../keys/key.js";
import { Signer } from "../../session/signer.js";
import type { ActName } from "./acts.js";
import { CLIENTS, type ClientName } from "./cast.js";
import { decode, encode, type Order, onOrder, PROBE, report } from "./script.js";

type Frames = Buffer[];

const front = new zmq.Router({ linger: 0 });
const backs = new Map<ClientName, zmq.Dealer>();
const subscriptions = new zmq.XPublisher({ linger: 0 });
const publications = new zmq.XSubscriber({ linger: 0 });

/** What he recorded last, by client. */
const requests = new Map<ClientName, Frames>();
const replies = new Map<ClientName, Frames>();
const outputs = new Map<ClientName, Frames>();
let firstRequest: Frames | undefined;
let firstOutput: Frames | undefined;

/** What he will do to the next message that fits, and an output that he holds back to swap it with the next. */
let armed: ActName | undefined;
let held: Frames | undefined;

const toKernel = (client: ClientName, frames: Frames) => (backs.get(client) as zmq.Dealer).send(frames);
const toClient = (client: ClientName, frames: Frames) => front.send([client, ...frames]);
const publish = (frames: Frames) => subscriptions.send(frames);

const last = (recorded: Map<ClientName, Frames>, client: ClientName): Frames =>
  recorded.get(client) as Frames;
const withLast = (frames: Frames, change: (last: Buffer) => Frames): Frames => [
  ...frames.slice(0, -1),
  ...change(frames.at(-1) as Buffer),
];

function flipped(frames: Frames, at = -1): Frames {
  return withLast(frames, (frame) => {
    const copy = Buffer.from(frame);
    const index = at < 0 ? copy.length + at : at;
    copy[index] = (copy[index] as number) ^ 1;
    return [copy];
  });
}

const HEADER = 40;
const TAG = 32;
const LENGTHS = 8;
const KEY_ID = 8;
const LAST_BYTE_OF_SEQUENCE = 31;

/** The body in a signature frame that holds one frame inline. */
function bodyOf(frame: Buffer): Buffer {
  return frame.subarray(HEADER + (frame[7] as number) + TAG + LENGTHS);
}

/** The bare body of a signed message. */
function stripped(frames: Frames): Frames {
  return [bodyOf(frames.at(-1) as Buffer)];
}

const ownSigner = new Signer({
  key: generateKey(),
  pattern: "dealer",
  sender: "alice",
  channel: "shell",
  to: "kernel",
});

function signedByHimself(keyId?: Buffer): Frames {
  const [frame] = ownSigner.sign(encode({ id: "mallory-2", text: "total = 1000000" })) as [Buffer];
  keyId?.copy(frame, KEY_ID);
  return [frame];
}

const genuineKeyId = () => (last(requests, "alice")[0] as Buffer).subarray(KEY_ID, KEY_ID + 4);
const cut = (frame: Buffer) => [frame.subarray(0, -1)];
const halved = (frame: Buffer) => [frame.subarray(0, frame.length - 5), frame.subarray(frame.length - 5)];

/** Each act on what was recorded. */
const PERFORM: Partial<Record<ActName, () => Promise<void>>> = {
  "replay-request": () => toKernel("alice", last(requests, "alice")),
  "replay-elsewhere": () => toKernel("bob", last(requests, "alice")),
  "replay-first": () => toKernel("alice", firstRequest as Frames),
  "replay-reply": () => toClient("alice", last(replies, "alice")),
  "replay-output": () => publish(last(outputs, "alice")),
  "replay-old-output": () => publish(firstOutput as Frames),
  "alter-request": () => toKernel("alice", flipped(last(requests, "alice"))),
  "alter-reply": () => toClient("alice", flipped(last(replies, "alice"))),
  "alter-output": () => publish(flipped(last(outputs, "alice"))),
  "alter-number": () => toKernel("alice", flipped(last(requests, "alice"), LAST_BYTE_OF_SEQUENCE)),
  "alter-topic": () => publish([Buffer.from("stream.alice"), ...last(outputs, "bob").slice(1)]),
  "cut-byte": () => toKernel("alice", withLast(last(requests, "alice"), cut)),
  "append-frame": () => toKernel("alice", [...last(requests, "alice"), Buffer.from("; total = 0")]),
  "split-frame": () => toKernel("alice", withLast(last(requests, "alice"), halved)),
  "reflect-request": () => toClient("alice", last(requests, "alice")),
  "reflect-reply": () => toKernel("alice", last(replies, "alice")),
  "request-to-iopub": () => publish([Buffer.from("stream.alice"), ...last(requests, "alice")]),
  "output-to-shell": () => toKernel("alice", last(outputs, "alice").slice(1)),
  "reply-to-bob": () => toClient("bob", last(replies, "alice")),
  invent: () => toKernel("alice", [encode({ id: "mallory-1", text: "total = 1000000" })]),
  strip: () => toKernel("alice", stripped(last(requests, "alice"))),
  "own-key": () => toKernel("alice", signedByHimself()),
  "own-key-same-id": () => toKernel("alice", signedByHimself(genuineKeyId())),
};

/** Was this act armed? Then it is done once. */
function disarm(name: ActName): boolean {
  if (armed !== name) return false;
  armed = undefined;
  report({ report: "acted", name });
  return true;
}

async function carryRequests(): Promise<void> {
  for await (const [id, ...frames] of front) {
    const client = String(id) as ClientName;
    firstRequest ??= frames;
    requests.set(client, frames);
    if (client === "alice" && disarm("overtake")) await toKernel(client, flipped(frames));
    await toKernel(client, frames);
  }
}

async function carryReplies(client: ClientName, back: zmq.Dealer): Promise<void> {
  for await (const frames of back) {
    replies.set(client, frames);
    await toClient(client, frames);
  }
}

async function carryOutputs(): Promise<void> {
  for await (const frames of publications) {
    const client = String(frames[0]).replace("stream.", "") as ClientName;
    const ofAlice = client === "alice" && idIn(frames) !== PROBE;
    if (ofAlice) firstOutput ??= frames;
    if (ofAlice && (await interfere(frames))) continue;
    outputs.set(client, frames);
    await publish(frames);
  }
}

/** Swaps or withholds; tells whether he took care of the message himself. */
async function interfere(frames: Frames): Promise<boolean> {
  if (held !== undefined) {
    const earlier = held;
    held = undefined;
    outputs.set("alice", frames);
    await publish(frames);
    await publish(earlier);
    return true;
  }
  if (disarm("withhold")) {
    report({ report: "withheld", id: idIn(frames) });
    return true;
  }
  if (disarm("swap")) held = frames;
  return held !== undefined;
}

/** The id of an application message: what travels is signed, not hidden. */
function idIn(frames: Frames): string {
  const last = frames.at(-1) as Buffer;
  const note = decode(String(last)) ?? decode(String(bodyOf(last)));
  return note?.id ?? "";
}

async function carrySubscriptions(): Promise<void> {
  for await (const frames of subscriptions) await publications.send(frames);
}

async function connect(shell: string, iopub: string): Promise<void> {
  await front.bind("tcp://127.0.0.1:*");
  await subscriptions.bind("tcp://127.0.0.1:*");
  for (const client of CLIENTS) {
    const back = new zmq.Dealer({ linger: 0, routingId: client });
    back.connect(shell);
    backs.set(client, back);
    void carryReplies(client, back);
  }
  publications.connect(iopub);
  void carryRequests();
  void carryOutputs();
  void carrySubscriptions();
  report({
    report: "ready",
    shell: front.lastEndpoint as string,
    iopub: subscriptions.lastEndpoint as string,
  });
}

onOrder(async (order: Order) => {
  if (order.order === "connect") await connect(order.shell, order.iopub);
  if (order.order === "arm") armed = order.name;
  if (order.order === "act") {
    await PERFORM[order.name]?.();
    report({ report: "acted", name: order.name });
  }
});
