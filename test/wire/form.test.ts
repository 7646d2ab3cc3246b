// Question 1, is it well formed: what each socket type refuses before any key is looked at, and the order of its
// reasons (docs/wire.md, sections 3 to 7). Nothing here is genuine, and nothing needs to be.

import { describe, expect, test, vi } from "vitest";
import {
  coveredDetached,
  type Form,
  messageCount,
  type Place,
  REFUSED,
  readForm,
  readMessages,
} from "../../src/wire/form.js";
import { DEFAULT_LIMITS, type Limits } from "../../src/wire/limits.js";
import { PATTERNS, type Pattern } from "../../src/wire/patterns.js";
import { batchOf, type Fields, FLAG, headerOf, KIND, payloadOf, TYPE, u32 } from "./reference.js";

const TAG = Buffer.alloc(32, 0xaa);
const ID = Buffer.from("id");
const TOPIC = Buffer.from("topic");
const EMPTY = Buffer.alloc(0);

/** An inline signature frame. */
const inline = (fields: Partial<Fields>, region = payloadOf("body")) =>
  Buffer.concat([headerOf({ ...fields, flags: (fields.flags ?? 0) | FLAG.inline }), TAG, region]);
/** A detached signature frame. */
const detached = (fields: Partial<Fields>) => Buffer.concat([headerOf(fields), TAG]);
const batch = (fields: Partial<Fields> = {}, region = batchOf(["a"], ["b", "c"])) =>
  inline({ kind: KIND.batch, ...fields }, region);

function read(pattern: Pattern, frames: readonly Buffer[], some: Partial<Place> & { limits?: Limits } = {}) {
  return readForm(frames, { pattern, hops: 0, limits: DEFAULT_LIMITS, ...some });
}
const BODY = Buffer.from("body");

describe("a well-formed message", () => {
  test("inline: everything stands in the frame, and the body is a view of it", () => {
    const frame = inline({ pattern: TYPE.push, sender: "alice", sequence: 7n });
    const form = read("pull", [frame]);
    expect(form).toMatchObject({
      header: { kind: "data", pattern: "push", sender: "alice", sequence: 7 },
      tagAt: headerOf({ sender: "alice" }).length,
      routing: [],
      topic: undefined,
      detached: [],
    });
    if (typeof form === "string") throw new Error(form);
    expect(form.frame).toBe(frame);
    expect(readMessages(form)).toEqual([[BODY]]);
    expect(readMessages(form)[0]?.[0]?.buffer).toBe(frame.buffer);
    expect(messageCount(form)).toBe(1);
  });

  test("detached: the payload begins with counts and lengths, then the frames themselves", () => {
    const form = read("pull", [detached({ pattern: TYPE.push }), BODY, EMPTY]);
    if (typeof form === "string") throw new Error(form);
    expect(form.detached).toEqual([u32(2, 4, 0), BODY, EMPTY]);
    expect(form.detached[1]).toBe(BODY);
    expect(readMessages(form)).toEqual([[BODY, EMPTY]]);
    expect(messageCount(form)).toBe(1);
  });

  test("batch: all bodies, counted", () => {
    const form = read("pull", [batch({ pattern: TYPE.push })]);
    if (typeof form === "string") throw new Error(form);
    expect(messageCount(form)).toBe(2);
    expect(readMessages(form).map((body) => body.map(String))).toEqual([["a"], ["b", "c"]]);
  });

  test("a SUB's topic stands in front and is covered", () => {
    const form = read("sub", [TOPIC, inline({ pattern: TYPE.pub, flags: FLAG.topic })]);
    expect(form).toMatchObject({ topic: TOPIC, routing: [TOPIC] });
  });

  test("a ROUTER's id and delimiter stand in front and are not covered", () => {
    const form = read("router", [ID, EMPTY, inline({ flags: FLAG.delimited })]);
    expect(form).toMatchObject({ topic: undefined, routing: [ID, EMPTY] });
    expect(read("router", [ID, inline({})])).toMatchObject({ routing: [ID] });
    expect(read("router", [ID, ID, inline({})], { hops: 1 })).toMatchObject({ routing: [ID, ID] });
  });

  test.each(["req", "rep"] as const)("a %s takes the delimiter for granted", (pattern) => {
    const flags = FLAG.delimited | FLAG.addressed | FLAG.bound;
    const frame =
      pattern === "req" ? inline({ pattern: TYPE.rep, flags }) : inline({ flags: FLAG.delimited });
    expect(read(pattern, [frame])).toMatchObject({ routing: [] });
  });

  const heard: readonly [Pattern, number, number][] = [
    ["router", TYPE.dealer, 0],
    ["router", TYPE.router, 0],
    ["dealer", TYPE.dealer, 0],
    ["dealer", TYPE.router, FLAG.addressed],
    ["dealer", TYPE.router, FLAG.addressed | FLAG.recipientKey],
    ["pull", TYPE.push, 0],
    ["pull", TYPE.push, FLAG.addressed],
    ["pair", TYPE.pair, 0],
    ["xpub", TYPE.xsub, 0],
    ["sub", TYPE.pub, FLAG.topic],
    ["sub", TYPE.xpub, FLAG.topic],
    ["xsub", TYPE.pub, FLAG.topic],
  ];
  test.each(heard)("%s hears type %i with flags %i", (pattern, type, flags) => {
    const front = pattern === "router" ? [ID] : (flags & FLAG.topic) !== 0 ? [TOPIC] : [];
    expect(read(pattern, [...front, inline({ pattern: type, flags })])).toBeTypeOf("object");
    expect(read(pattern, [...front, detached({ pattern: type, flags }), BODY])).toBeTypeOf("object");
    expect(read(pattern, [...front, batch({ pattern: type, flags })])).toBeTypeOf("object");
  });
});

describe("unsigned", () => {
  test.each<[Pattern, readonly Buffer[]]>([
    ["pull", []],
    ["pull", [EMPTY]],
    ["pull", [BODY]],
    ["router", []],
    ["router", [ID]],
    ["router", [inline({})]],
    ["sub", [TOPIC]],
    ["sub", [inline({ pattern: TYPE.pub, flags: FLAG.topic })]],
    ["dealer", [EMPTY]],
    ["pull", [BODY, inline({ pattern: TYPE.push })]],
  ])("%s: no signature at its place (%#)", (pattern, frames) => {
    expect(read(pattern, frames)).toBe("unsigned");
  });

  test("attack 5: a frame in front of the signature moves it out of its place", () => {
    const frame = inline({ pattern: TYPE.push });
    expect(read("pull", [EMPTY, frame])).toBe("unsigned");
    expect(read("router", [ID, ID, inline({})])).toBe("unsigned");
    expect(read("router", [ID, EMPTY, EMPTY, inline({ flags: FLAG.delimited })])).toBe("unsigned");
  });
});

test("a REP's fixed refusal is told from a signature by a REQ alone", () => {
  expect(REFUSED).toEqual(Buffer.from("c153010700040000", "hex"));
  expect(read("req", [REFUSED])).toBe("refused");
  expect(read("req", [Buffer.concat([REFUSED, EMPTY, Buffer.alloc(1)])])).toBe("malformed");
  for (const pattern of ["rep", "dealer", "pull", "pair"] as const)
    expect(read(pattern, [REFUSED])).toBe("malformed");
});

describe("the header against the socket", () => {
  test.each(["hello", "challenge", "echo", "sync", "refused", "handshake"] as const)(
    "kind %s is not supported",
    (kind) => {
      expect(read("pull", [inline({ pattern: TYPE.push, kind: KIND[kind] })])).toBe("unsupported");
    },
  );

  test("attack 12: what a socket type never hears is of the wrong pattern", () => {
    for (const receiver of [
      "router",
      "dealer",
      "req",
      "rep",
      "sub",
      "xsub",
      "xpub",
      "pull",
      "pair",
    ] as const) {
      for (const [sender, pattern] of Object.entries(PATTERNS)) {
        const front = receiver === "router" ? [ID] : receiver === "sub" || receiver === "xsub" ? [TOPIC] : [];
        const reason = read(receiver, [...front, inline({ pattern })]);
        if (reason === "wrong-pattern") expect(`${receiver} ${sender}`).not.toMatch(HEARD);
        else expect(`${receiver} ${sender}`).toMatch(HEARD);
      }
    }
  });
  const HEARD =
    /^(router (dealer|req|router)|dealer (router|rep|dealer)|req (rep|router)|rep (req|dealer)|x?sub x?pub|xpub xsub|pull push|pair pair)$/;

  test("sealed bodies are not supported", () => {
    expect(read("pull", [inline({ pattern: TYPE.push, flags: FLAG.sealed })])).toBe("unsupported");
  });

  test("a topic is covered where there is one, and nowhere else", () => {
    expect(read("sub", [TOPIC, inline({ pattern: TYPE.pub })])).toBe("malformed");
    expect(read("pull", [inline({ pattern: TYPE.push, flags: FLAG.topic })])).toBe("malformed");
    expect(read("xpub", [inline({ pattern: TYPE.xsub, flags: FLAG.topic })])).toBe("malformed");
  });

  test("attack 5: a delimiter added or removed is the wrong envelope", () => {
    expect(read("router", [ID, EMPTY, inline({})])).toBe("wrong-envelope");
    expect(read("router", [ID, inline({ flags: FLAG.delimited })])).toBe("wrong-envelope");
    expect(read("dealer", [EMPTY, inline({})])).toBe("wrong-envelope");
    expect(read("dealer", [inline({ flags: FLAG.delimited })])).toBe("wrong-envelope");
    expect(read("rep", [inline({ pattern: TYPE.req })])).toBe("wrong-envelope");
    expect(read("pull", [inline({ pattern: TYPE.push, flags: FLAG.delimited })])).toBe("wrong-envelope");
  });

  test("a recipient's key without a recipient is malformed", () => {
    expect(read("pull", [inline({ pattern: TYPE.push, flags: FLAG.recipientKey })])).toBe("malformed");
  });

  test("data and batches are numbered from 1", () => {
    expect(read("pull", [inline({ pattern: TYPE.push, sequence: 0n })])).toBe("malformed");
    expect(read("pull", [batch({ pattern: TYPE.push, sequence: 0n })])).toBe("malformed");
    expect(read("pull", [inline({ pattern: TYPE.push, sequence: 1n })])).toBeTypeOf("object");
  });

  test("who answers names whom", () => {
    expect(read("dealer", [inline({ pattern: TYPE.router })])).toBe("not-addressed");
    expect(read("dealer", [EMPTY, inline({ pattern: TYPE.rep, flags: FLAG.delimited })])).toBe(
      "not-addressed",
    );
    expect(read("req", [inline({ pattern: TYPE.router, flags: FLAG.delimited })])).toBe("not-addressed");
    expect(read("router", [ID, inline({ pattern: TYPE.router })])).toBeTypeOf("object");
  });

  test("a REQ hears replies that are bound to a request, and nobody else does", () => {
    const flags = FLAG.delimited | FLAG.addressed;
    expect(read("req", [inline({ pattern: TYPE.rep, flags })])).toBe("not-bound");
    expect(read("req", [inline({ pattern: TYPE.rep, flags: flags | FLAG.bound })])).toBeTypeOf("object");
    const bound = { pattern: TYPE.router, flags: FLAG.addressed | FLAG.bound };
    expect(read("dealer", [inline(bound)])).toBe("unsupported");
    expect(read("router", [ID, inline(bound)])).toBe("unsupported");
  });

  test("only a ROUTER or a REP binds, and only what it addresses", () => {
    expect(read("req", [inline({ pattern: TYPE.rep, flags: FLAG.delimited | FLAG.bound })])).toBe(
      "malformed",
    );
    expect(read("router", [ID, inline({ flags: FLAG.addressed | FLAG.bound })])).toBe("malformed");
    expect(read("pull", [inline({ pattern: TYPE.push, flags: FLAG.addressed | FLAG.bound })])).toBe(
      "malformed",
    );
  });

  test("a batch is inline, without delimiter, and no reply to a REQ", () => {
    const pattern = TYPE.push;
    expect(read("pull", [Buffer.concat([headerOf({ pattern, kind: KIND.batch }), TAG]), BODY])).toBe(
      "malformed",
    );
    expect(read("router", [ID, EMPTY, batch({ flags: FLAG.delimited })])).toBe("malformed");
    const flags = FLAG.delimited | FLAG.addressed | FLAG.bound;
    expect(read("req", [batch({ pattern: TYPE.rep, flags })])).toBe("malformed");
    const undelimited = { pattern: TYPE.router, flags: FLAG.addressed | FLAG.bound };
    expect(read("dealer", [batch(undelimited)])).toBe("malformed");
  });
});

describe("the layout", () => {
  const push = { pattern: TYPE.push };

  test("attack 2: a tag cut anywhere is malformed", () => {
    const frame = detached(push);
    for (let length = 45; length < frame.length; length++) {
      expect(read("pull", [frame.subarray(0, length), BODY]), `${length}`).toBe("malformed");
    }
    expect(read("pull", [frame, BODY])).toBeTypeOf("object");
  });

  test("attack 2: signature frames of every length from 0 to 200 throw nothing and are no message", () => {
    for (const whole of [inline(push, Buffer.alloc(150)), detached(push), Buffer.alloc(200, 0xc1)]) {
      const padded = Buffer.concat([whole, Buffer.alloc(200)]);
      for (let length = 0; length <= 200; length++) {
        if (length === 77 && whole.length === 77) continue; // the genuine one
        const form = read("pull", [padded.subarray(0, length), BODY]);
        expect(form, `${length}`).toBe(length < 2 || whole[1] === 0xc1 ? "unsigned" : "malformed");
      }
    }
  });

  test("inline: nothing stands behind the signature frame", () => {
    expect(read("pull", [inline(push), EMPTY])).toBe("malformed");
    expect(read("pull", [batch(push), BODY])).toBe("malformed");
  });

  test("detached: nothing stands behind the tag", () => {
    expect(read("pull", [Buffer.concat([detached(push), Buffer.alloc(1)]), BODY])).toBe("malformed");
  });

  test("attack 9: inline lengths that do not fit are malformed", () => {
    expect(read("pull", [inline(push, EMPTY)])).toBe("malformed");
    expect(read("pull", [inline(push, u32(1, 9))])).toBe("malformed");
    expect(read("pull", [inline(push, Buffer.concat([payloadOf("a"), EMPTY, BODY]))])).toBe("malformed");
    expect(read("pull", [inline(push, u32(0xffffffff))])).toBe("too-large");
    expect(read("pull", [batch(push, u32(0xffffffff))])).toBe("too-large");
    expect(read("pull", [batch(push, u32(0))])).toBe("malformed");
  });

  test("limits bound the body alone, in both layouts", () => {
    const limits = { ...DEFAULT_LIMITS, frames: 2, bytes: 6 };
    const three = [BODY, EMPTY, EMPTY];
    expect(read("pull", [detached(push), BODY, Buffer.alloc(2)], { limits })).toBeTypeOf("object");
    expect(read("pull", [detached(push), BODY, Buffer.alloc(3)], { limits })).toBe("too-large");
    expect(read("pull", [detached(push), ...three], { limits })).toBe("too-large");
    expect(read("pull", [inline(push, payloadOf(BODY, "ab"))], { limits })).toBeTypeOf("object");
    expect(read("pull", [inline(push, payloadOf(BODY, "abc"))], { limits })).toBe("too-large");
    expect(read("pull", [inline(push, payloadOf(...three))], { limits })).toBe("too-large");
    const long = Buffer.alloc(100);
    expect(read("router", [long, inline({})], { limits })).toBeTypeOf("object");
    expect(read("sub", [long, inline({ pattern: TYPE.pub, flags: FLAG.topic })], { limits })).toBeTypeOf(
      "object",
    );
  });

  test("a batch's last number is at most 2^53 - 1", () => {
    const highest = 2n ** 53n - 1n;
    const one = batchOf(["a"]);
    expect(read("pull", [batch({ ...push, sequence: highest }, one)])).toBeTypeOf("object");
    expect(read("pull", [batch({ ...push, sequence: highest - 1n })])).toBeTypeOf("object");
    expect(read("pull", [batch({ ...push, sequence: highest })])).toBe("malformed");
    const many = batchOf(...Array.from({ length: 256 }, () => ["x"]));
    expect(read("pull", [batch({ ...push, sequence: highest - 255n }, many)])).toBeTypeOf("object");
    for (const back of [254n, 253n, 1n, 0n]) {
      expect(read("pull", [batch({ ...push, sequence: highest - back }, many)]), `${back}`).toBe("malformed");
    }
  });
});

describe("no body (n = 0)", () => {
  const none = payloadOf();
  const noneInOne = batchOf(["a"], []);

  test("is for what has a topic", () => {
    const pub = { pattern: TYPE.pub, flags: FLAG.topic };
    expect(read("sub", [TOPIC, inline(pub, none)])).toBeTypeOf("object");
    expect(read("sub", [EMPTY, inline(pub, none)])).toBeTypeOf("object");
    expect(read("sub", [TOPIC, detached(pub)])).toBeTypeOf("object");
    expect(read("sub", [TOPIC, batch(pub, noneInOne)])).toBeTypeOf("object");
  });

  test("is for what has a delimiter that the application sees", () => {
    const flags = FLAG.delimited;
    expect(read("router", [ID, EMPTY, inline({ flags }, none)])).toBeTypeOf("object");
    expect(read("router", [ID, EMPTY, detached({ flags })])).toBeTypeOf("object");
    expect(read("dealer", [EMPTY, inline({ flags }, none)])).toBeTypeOf("object");
    expect(read("rep", [inline({ pattern: TYPE.req, flags }, none)])).toBe("malformed");
    expect(read("rep", [detached({ pattern: TYPE.req, flags })])).toBe("malformed");
    const reply = { pattern: TYPE.rep, flags: flags | FLAG.addressed | FLAG.bound };
    expect(read("req", [inline(reply, none)])).toBe("malformed");
  });

  test("is malformed everywhere else", () => {
    expect(read("router", [ID, inline({}, none)])).toBe("malformed");
    expect(read("router", [ID, detached({})])).toBe("malformed");
    expect(read("pull", [inline({ pattern: TYPE.push }, none)])).toBe("malformed");
    expect(read("pull", [detached({ pattern: TYPE.push })])).toBe("malformed");
    expect(read("pull", [batch({ pattern: TYPE.push }, noneInOne)])).toBe("malformed");
    expect(read("pull", [batch({ pattern: TYPE.push }, batchOf([], ["a"]))])).toBe("malformed");
    expect(read("pair", [inline({ pattern: TYPE.pair }, none)])).toBe("malformed");
    expect(read("xpub", [inline({ pattern: TYPE.xsub }, none)])).toBe("malformed");
  });
});

test("attack 9: a batch of two million empty frames is measured without making one of them", () => {
  const body = u32(8192, ...new Array(8192).fill(0));
  const region = Buffer.concat([u32(256), ...new Array(256).fill(body)]);
  const views = vi.spyOn(Buffer.prototype, "subarray");
  try {
    expect(read("pull", [batch({ pattern: TYPE.push }, region)])).toBeTypeOf("object");
    expect(views.mock.calls.length).toBeLessThan(10);
  } finally {
    views.mockRestore();
  }
});

test("a message of more frames than a call takes arguments is covered like any other", () => {
  const body = new Array(300_000).fill(EMPTY);
  expect(coveredDetached(body)).toHaveLength(300_001);
});

test("reasons come in this order: version, form of the header, kind, pattern, flags, layout", () => {
  const wrong: Partial<Fields> = {
    version: 2,
    reserved: 1,
    kind: KIND.hello,
    pattern: TYPE.pub,
    flags: FLAG.sealed,
  };
  const frame = (fields: Partial<Fields>) => [Buffer.concat([headerOf(fields), TAG.subarray(1)])];
  expect(read("pull", frame(wrong))).toBe("unsupported-version");
  expect(read("pull", frame({ ...wrong, version: 1 }))).toBe("malformed");
  expect(read("pull", frame({ ...wrong, version: 1, reserved: 0 }))).toBe("unsupported");
  expect(read("pull", frame({ pattern: TYPE.pub, flags: FLAG.delimited }))).toBe("wrong-pattern");
  expect(read("pull", frame({ pattern: TYPE.push, flags: FLAG.delimited }))).toBe("wrong-envelope");
  expect(read("pull", frame({ pattern: TYPE.push }))).toBe("malformed");
});

test("the routing stands in front of each message, single or of a batch", () => {
  const form = (frame: Buffer) => read("router", [ID, frame]) as Form;
  expect(readMessages(form(inline({}))).map((message) => message.map(String))).toEqual([["id", "body"]]);
  expect(readMessages(form(inline({}, payloadOf("a", "b")))).map((message) => message.map(String))).toEqual([
    ["id", "a", "b"],
  ]);
  expect(readMessages(form(batch())).map((message) => message.map(String))).toEqual([
    ["id", "a"],
    ["id", "b", "c"],
  ]);
});
