// Programs for processes and threads of their own, by name: what `processes.test.ts` runs. Each says what it found on
// its standard output, or posts it to the thread that started it.

import cluster from "node:cluster";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import {
  Context,
  context,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type SigningOptions,
  Subscriber,
  signed,
} from "countersign";
import * as zmq from "zeromq";

/** A key that every party of a test knows without being told. */
const key = Buffer.from("a key for tests, known to everyone here");
const as = (sender: string): SigningOptions => ({ key, sender });
const signing: SigningOptions = { key };

/** Says so if the process is still there when it must not have ended by itself. */
function stillThere(): void {
  setTimeout(() => {
    console.log("still there");
    process.exit(0);
  }, 300).unref();
}

/** Lets the garbage collector run until this object is gone; `--expose-gc` makes it possible. */
async function collected(object: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    (globalThis as unknown as { gc(): void }).gc();
    if (object.deref() === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}

type Program = (address: string) => unknown;

const PROGRAMS: Record<string, Program> = {
  "closed sockets": () => {
    new Dealer({ signing }).close();
    new Router({ context: new Context(), signing }).close();
  },
  "open sockets": () => {
    new Dealer({ signing });
    new Router({ signing });
    new Push({ context: new Context(), signing });
    signed(new zmq.Pull(), signing);
  },
  "sockets that admit by challenge": async () => {
    const challenging: SigningOptions = { key, admit: "challenge" };
    const router = new Router({ signing: challenging });
    await router.bind("tcp://127.0.0.1:*");
    const dealer = new Dealer({ signing: challenging });
    dealer.connect(router.lastEndpoint as string);
    await dealer.send("greeted");
    const subscriber = new Subscriber({ signing: challenging });
    const publisher = new Publisher({ signing: challenging });
    await publisher.bind("tcp://127.0.0.1:*");
    subscriber.connect(publisher.lastEndpoint as string);
    console.log(dealer.stats.sent);
  },
  "a twin": async (address) => {
    const twin = new Dealer({ signing: { ...as("client"), admit: "challenge" } });
    twin.connect(address);
    await twin.send("later");
    twin.close();
  },
  "a send that nobody waits for": async () => {
    await new Publisher({ signing }).send(["topic", "body"]);
  },
  "a send that waits": () => {
    stillThere();
    const push = new Push({ signing });
    push.send("nobody is there").catch(() => {});
  },
  "a send that was given up": async () => {
    const push = new Push({ sendTimeout: 20, signing });
    await push.send("nobody is there").catch(({ code }) => console.log(code));
  },
  "a receive that waits": async () => {
    stillThere();
    const pull = new Pull({ signing });
    await pull.bind("inproc://waits");
    await pull.receive();
  },
  "a receive that ends with its socket": async () => {
    const pull = new Pull({ signing });
    await pull.bind("inproc://ends");
    setTimeout(() => pull.close(), 20);
    for await (const _ of pull) console.log("unexpected");
    console.log("ended");
  },
  "events until close": async () => {
    const dealer = new Dealer({ signing });
    setTimeout(() => dealer.close(), 20);
    for await (const { type } of dealer.events) console.log(type);
  },
  "a message that is still on its way": async () => {
    const push = new Push({ linger: 2000, signing });
    const pull = new Pull({ signing });
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint as string);
    for (let i = 0; i < 100; i++) await push.send(`${i}`);
    push.close();
    let received = 0;
    while (received < 100) {
      await pull.receive();
      received++;
    }
    console.log(`received ${received}`);
    pull.close();
  },
  "a socket nobody holds": async () => {
    const weak = new WeakRef(new Dealer({ signing: as("forgotten") }));
    console.log("socket gone:", await collected(weak));
    new Dealer({ signing: as("forgotten") });
    console.log("its name is free");
  },
  "a context nobody holds": async () => {
    const own = new WeakRef(new Context());
    const socket = new Dealer({ context: own.deref() as Context, signing });
    socket.close();
    console.log("context gone:", await collected(own));
  },
  "a socket that somebody waits on": async () => {
    const waiting = () => {
      const pull = new Pull({ signing: as("waiting") });
      pull.bindSync("inproc://held");
      return pull.receive();
    };
    const received = waiting();
    const push = new Push({ signing: as("push") });
    push.connect("inproc://held");
    for (let i = 0; i < 5; i++) (globalThis as unknown as { gc(): void }).gc();
    await push.send("still held");
    console.log(String(await received));
    process.exit(0);
  },
  "the frames of a message nobody holds": async () => {
    const pull = new Pull({ signing: as("pull") });
    const push = new Push({ linger: 0, signing: as("push") });
    await pull.bind("inproc://frames");
    push.connect("inproc://frames");
    const weak = await (async () => {
      const body = Buffer.alloc(100_000);
      await push.send(body);
      await pull.receive();
      return new WeakRef(body);
    })();
    console.log("frames gone:", await collected(weak));
    push.close();
    pull.close();
  },
  "shared context": () => context.ioThreads,
  "pair within": async (address) => {
    const left = new Pair({ linger: 0, signing: as("left") });
    const right = new Pair({ linger: 0, signing: as("right") });
    await left.bind(address);
    right.connect(left.lastEndpoint as string);
    await right.send(["there", "body"]);
    const message = await left.receive();
    right.close();
    left.close();
    return [...message.map(String), message.origin.sender];
  },
  "echo one": async (address) => {
    const pair = new Pair({ linger: 1000, signing: as("thread") });
    pair.connect(address);
    await pair.send("ready");
    const message = await pair.receive();
    await pair.send(message);
    pair.close();
    return message.origin.sender;
  },
  "answer three": async (address) => {
    const rep = new Reply({ linger: 1000, signing: as("rep") });
    rep.connect(address);
    parentPort?.postMessage("ready");
    let answered = 0;
    for await (const message of rep) {
      await rep.send(message);
      if (++answered === 3) break;
    }
    rep.close();
    return rep.stats.accepted;
  },
  "ask three": async (address) => {
    const req = new Request({ linger: 0, signing: as("req") });
    req.connect(address);
    const replies: string[] = [];
    for (const question of ["one", "two", "three"]) {
      await req.send(question);
      replies.push(...(await req.receive()).map(String));
    }
    req.close();
    return replies;
  },
  "push ten": async (address) => {
    const push = new Push({ signing: as("worker") });
    push.connect(address);
    for (let i = 0; i < 10; i++) await push.send(`${i}`);
    push.close();
  },
  cluster: async (address) => {
    if (cluster.isWorker) {
      await PROGRAMS["push ten"]?.(address);
      cluster.worker?.disconnect();
    } else {
      for (let i = 0; i < 3; i++) cluster.fork();
    }
  },
  "await an order": async (address) => {
    const dealer = new Dealer({ linger: 0, routingId: "ordered", signing: as("worker") });
    dealer.connect(address);
    await dealer.send("here");
    const [order] = await dealer.receive();
    dealer.close();
    return String(order);
  },
  "same name": () => {
    const dealer = new Dealer({ signing: as("one-of-many") });
    const { closed } = dealer;
    dealer.close();
    return closed;
  },
};

const [name = "", address = ""]: string[] = isMainThread ? process.argv.slice(2) : workerData;
const program = PROGRAMS[name];
if (program === undefined) throw new Error(`there is no program "${name}"`);
const result = await program(address);
parentPort?.postMessage(result);
