// Options: zeromq's own at construction and later, `signing` and `codec` beside them, and what each says when it is
// wrong.

import {
  Context,
  type CountersignError,
  context,
  Dealer,
  Keyring,
  MemoryState,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "countersign";
import { json } from "countersign/codec";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, KEY, opened, signing, text } from "./harness.js";

/** Our class and zeromq's, by name. */
const CLASSES = {
  Router: [Router, zmq.Router],
  Dealer: [Dealer, zmq.Dealer],
  Publisher: [Publisher, zmq.Publisher],
  Subscriber: [Subscriber, zmq.Subscriber],
  XPublisher: [XPublisher, zmq.XPublisher],
  XSubscriber: [XSubscriber, zmq.XSubscriber],
  Request: [Request, zmq.Request],
  Reply: [Reply, zmq.Reply],
  Push: [Push, zmq.Push],
  Pull: [Pull, zmq.Pull],
  Pair: [Pair, zmq.Pair],
} as const;
type Name = keyof typeof CLASSES;
const NAMES = Object.keys(CLASSES) as Name[];

/** A socket of which no type says what it has. */
type Loose = Record<string, unknown> & { close(): void };

/** A socket of this class, with options that no type vouches for. */
function make(name: Name, options?: unknown): Loose {
  const Class = CLASSES[name][0] as unknown as new (given: unknown) => Loose;
  return opened(new Class(options));
}

describe.each(NAMES)("%s", (name) => {
  const [Own, Theirs] = CLASSES[name];

  it("is a zeromq socket of its type, under its own name", () => {
    const socket = make(name, { signing });
    expect(socket).toBeInstanceOf(Theirs);
    expect(socket).toBeInstanceOf(zmq.Socket);
    expect(socket.constructor.name).toBe(name);
    expect(socket.type).toBe(opened(new Theirs()).type);
    expect([socket.closed, socket.context]).toEqual([false, context]);
  });

  it("has the methods and options of zeromq's class, no more, and stats and sessions, and ready where it subscribes", () => {
    const socket = make(name, { signing });
    const members = (object: object) => {
      const names = new Set<string>();
      for (let at = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        for (const member of Object.getOwnPropertyNames(at)) names.add(member);
      }
      return names;
    };
    const own =
      name === "Subscriber" || name === "XSubscriber"
        ? ["stats", "sessions", "ready"]
        : ["stats", "sessions"];
    expect(members(socket)).toEqual(new Set([...members(opened(new Theirs())), ...own]));
  });

  it("must be constructed", () => {
    expect(() => (Own as unknown as () => void)()).toThrow(
      `Class constructor ${name} cannot be invoked without 'new'`,
    );
  });

  it("must be told a key", () => {
    for (const options of [undefined, {}, { signing: undefined }, { signing: null }, { signing: "key" }]) {
      expect(() => make(name, options)).toThrow(
        expect.objectContaining({
          code: "ERR_COUNTERSIGN_OPTIONS",
          message: expect.stringContaining("signing"),
        }),
      );
    }
    expect(() => make(name, { signing: {} })).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_KEY" }),
    );
    expect(() => make(name, 1)).toThrow(new TypeError("Options must be an object"));
  });

  it("takes zeromq's options, and gives them back", () => {
    const own = new Context();
    const socket = make(name, { context: own, linger: 12, maxMessageSize: 4096, ipv6: true, signing });
    expect([socket.context, socket.linger, socket.maxMessageSize, socket.ipv6]).toEqual([
      own,
      12,
      4096,
      true,
    ]);
    socket.linger = 0;
    expect(socket.linger).toBe(0);
    socket.maxMessageSize = -1;
    expect(socket.maxMessageSize).toBe(-1);
  });

  it("refuses what zeromq refuses", () => {
    expect(() => make(name, { linger: "long", signing })).toThrow(TypeError);
    expect(() => make(name, { doesNotExist: 1, signing })).toThrow(TypeError);
    expect(() => make(name, { securityMechanism: "plain", signing })).toThrow(TypeError);
    expect(() => make(name, { context: {}, signing })).toThrow();
    const socket = make(name, { signing });
    expect(() => {
      socket.doesNotExist = 1;
    }).toThrow(TypeError);
    expect(() => {
      socket.linger = "long";
    }).toThrow(TypeError);
  });

  it("leaves the caller's object as it is", () => {
    const options = Object.freeze({ context, linger: 0, signing: Object.freeze({ key: KEY }) });
    make(name, options);
    expect(Object.keys(options)).toEqual(["context", "linger", "signing"]);
  });

  it("two may be made from the same options", () => {
    const options = { linger: 0, signing };
    expect(make(name, options)).not.toBe(make(name, options));
  });
});

describe("sendTimeout", () => {
  it.each(["Push", "Dealer", "Request", "Router", "Publisher", "Pair"] as const)("%s", (name) => {
    const socket = make(name, { sendTimeout: 7, signing });
    expect(socket.sendTimeout).toBe(7);
    socket.sendTimeout = 0;
    expect(socket.sendTimeout).toBe(0);
    expect(() => {
      socket.sendTimeout = "soon";
    }).toThrow(TypeError);
    expect(() => make(name, { sendTimeout: "soon", signing })).toThrow(TypeError);
  });

  it.each(["Pull", "Subscriber"] as const)("%s has none, as in zeromq", (name) => {
    expect("sendTimeout" in make(name, { signing })).toBe(false);
    expect(() => make(name, { sendTimeout: 7, signing })).toThrow(TypeError);
  });
});

describe("signing options", () => {
  const refused: [string, object, CountersignError["code"]][] = [
    ["an unknown name", { key: KEY, chanel: "shell" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a short key", { key: Buffer.from("secret") }, "ERR_COUNTERSIGN_KEY"],
    ["a key of zeros", { key: Buffer.alloc(32) }, "ERR_COUNTERSIGN_KEY"],
    ["a key that is text", { key: "a".repeat(64) }, "ERR_COUNTERSIGN_KEY"],
    ["a sender with a space", { key: KEY, sender: "kernel 1" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an empty sender", { key: KEY, sender: "" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a long channel", { key: KEY, channel: "x".repeat(256) }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a wrong recipient", { key: KEY, to: "kernel 1" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a recipient that is no name", { key: KEY, to: { name: "kernel" } }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a negative window", { key: KEY, window: -1 }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a window too large", { key: KEY, window: 65_537 }, "ERR_COUNTERSIGN_OPTIONS"],
    ["half a hop", { key: KEY, hops: 0.5 }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an unknown admission", { key: KEY, admit: "all" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an unknown policy", { key: KEY, policy: "relaxed" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an unknown reply", { key: KEY, reply: "never" }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a negative skew", { key: KEY, skew: -1 }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an age that is no number", { key: KEY, maxAge: Number.NaN }, "ERR_COUNTERSIGN_OPTIONS"],
    ["an unknown limit", { key: KEY, limits: { messages: 1 } }, "ERR_COUNTERSIGN_OPTIONS"],
    ["a negative limit", { key: KEY, limits: { bytes: -1 } }, "ERR_COUNTERSIGN_OPTIONS"],
  ];

  it.each(refused)("%s is refused, and leaves nothing behind", (_, options, code) => {
    const sender = "sender" in options ? {} : { sender: "unborn" };
    expect(() => make("Dealer", { signing: { ...sender, ...options } })).toThrow(
      expect.objectContaining({ code }),
    );
    make("Dealer", { signing: { key: KEY, sender: "unborn" } });
  });

  it("a state of the application's own is used", async () => {
    const state = new MemoryState();
    const shared = { key: KEY, state, receiver: "desk" };
    const first = opened(new Pull({ signing: shared }));
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(await bound(first));
    await push.send("hello");
    await first.receive();
    const second = opened(new Pull({ signing: shared }));
    expect(second.stats).toMatchObject({ streams: 1, accepted: 0 });
  });

  it("a key may be a keyring that rotates under the socket, or a function that gives one", async () => {
    const { generateKey } = await import("countersign");
    const ring = new Keyring([KEY]);
    const pull = opened(new Pull({ signing: { key: () => ring } }));
    const push = opened(new Push({ linger: 0, signing: { key: ring, sender: "push" } }));
    push.connect(await bound(pull));
    await push.send("before");
    const before = await pull.receive();
    ring.rotate(generateKey(), { overlap: 60_000 });
    await push.send("after");
    const after = await pull.receive();
    expect(after.origin.keyId).not.toBe(before.origin.keyId);
    expect(after.origin.sequence).toBe(before.origin.sequence + 1);
  });
});

describe("what cannot be signed is refused at construction, and later", () => {
  const unworkable: [Name, string, unknown][] = [
    ["Router", "probeRouter", true],
    ["Dealer", "probeRouter", true],
    ["Request", "probeRouter", true],
    ["XPublisher", "welcomeMessage", "welcome"],
    ["Publisher", "conflate", true],
    ["Subscriber", "conflate", true],
  ];

  it.each(unworkable)("%s: %s", (name, option, value) => {
    const refusal = expect.objectContaining({
      code: "ERR_COUNTERSIGN_NOT_SUPPORTED",
      message: expect.stringContaining(option),
    });
    expect(() => make(name, { [option]: value, signing })).toThrow(refusal);
    const socket = make(name, { signing });
    expect(() => {
      socket[option] = value;
    }).toThrow(refusal);
  });

  it.each([
    ["Router", "probeRouter", false],
    ["XPublisher", "welcomeMessage", null],
    ["Publisher", "conflate", false],
    ["Pull", "conflate", true],
    ["Push", "conflate", true],
    ["Dealer", "conflate", true],
  ] as const)("%s: %s %s is not", (name, option, value) => {
    expect(make(name, { [option]: value, signing }).closed).toBe(false);
  });
});

describe("one stream, one signer", () => {
  it("a second socket of the same sender, channel, type and key is refused until the first is closed", () => {
    const first = opened(new Dealer({ signing: as("alice", { channel: "shell" }) }));
    expect(() => make("Dealer", { signing: as("alice", { channel: "shell" }) })).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_STREAM_IN_USE" }),
    );
    for (const other of [as("bob", { channel: "shell" }), as("alice"), as("alice~2", { channel: "shell" })]) {
      make("Dealer", { signing: other });
    }
    make("Router", { signing: as("alice", { channel: "shell" }) });
    first.close();
    make("Dealer", { signing: as("alice", { channel: "shell" }) });
  });

  it("released also where the socket is closed while it is being bound", async () => {
    const first = new Dealer({ signing: as("carol") });
    const binding = first.bind("tcp://127.0.0.1:*");
    first.close();
    await binding;
    make("Dealer", { signing: as("carol") });
  });

  it("a socket that only receives claims nothing", () => {
    for (let i = 0; i < 2; i++) make("Pull", { signing: as("alice") });
    for (let i = 0; i < 2; i++) make("Subscriber", { signing: as("alice") });
  });

  it("what zeromq refused claims nothing", () => {
    expect(() => make("Dealer", { linger: "long", signing: as("dave") })).toThrow(TypeError);
    make("Dealer", { signing: as("dave") });
  });
});

describe("codec", () => {
  it.each([null, 1, "json", {}, { encode() {} }, { decode() {} }])("%j is none", (codec) => {
    expect(() => make("Dealer", { codec, signing })).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_OPTIONS", message: expect.stringContaining("codec") }),
    );
  });

  it("may be left undefined", async () => {
    const pull = opened(new Pull({ codec: undefined, signing }));
    const push = opened(new Push({ linger: 0, codec: json<number>(), signing }));
    push.connect(await bound(pull));
    await push.send([7]);
    expect(text(await pull.receive())).toEqual(["7"]);
  });
});

describe("contexts", () => {
  it("sockets of one context meet inproc, those of two do not", async () => {
    const own = new Context();
    const pull = opened(new Pull({ context: own, receiveTimeout: 20, signing }));
    await pull.bind("inproc://private");
    const inside = opened(new Push({ context: own, linger: 0, signing }));
    inside.connect("inproc://private");
    await inside.send("inside");
    expect(text(await pull.receive())).toEqual(["inside"]);
    const outside = opened(new Push({ linger: 0, sendTimeout: 20, signing }));
    outside.connect("inproc://private");
    outside.send("outside").catch(() => {});
    expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  });
});
