// Plain Jupyter: what is built, signed, refused, and remembered.

import { createHmac, getHashes } from "node:crypto";
import { type Message, Session } from "countersign/jupyter";
import { describe, expect, it } from "vitest";
import { clientOf, delivered, KEY, kernelOf, saidOf, testClock } from "./ends.js";

const DELIMITER = Buffer.from("<IDS|MSG>");
const hmac = (parts: readonly Buffer[], hash = "sha256", key: string | Buffer = KEY) => {
  const mac = createHmac(hash, key);
  for (const part of parts) mac.update(part);
  return Buffer.from(mac.digest("hex"));
};
/** A plain message as somebody else would make it. */
function foreign(
  header: object | string,
  rest: { content?: string; metadata?: string; hash?: string } = {},
): Buffer[] {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const parts = [text, "{}", rest.metadata ?? "{}", rest.content ?? "{}"].map((part) => Buffer.from(part));
  return [DELIMITER, hmac(parts, rest.hash), ...parts];
}
const header = (over: object = {}) => ({
  msg_id: "1",
  msg_type: "status",
  session: "other",
  date: new Date(Date.now() + 1000).toISOString(),
  version: "5.3",
  ...over,
});

describe("a message", () => {
  it("has the fields of protocol 5.5 in its header", () => {
    const client = clientOf({ username: "ada", session: "s-1" });
    const message = client.message("execute_request", { code: "1" }, { subshell: "sub-1" });
    expect(message.header).toEqual({
      msg_id: `s-1_${process.pid}_0`,
      msg_type: "execute_request",
      username: "ada",
      session: "s-1",
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      version: "5.5",
      subshell_id: "sub-1",
    });
    expect(client.message("x").header.msg_id).toBe(`s-1_${process.pid}_1`);
    expect(Object.keys(client.message("x").header)).not.toContain("subshell_id");
  });

  it("is answered by its type and header", () => {
    const [kernel, client] = [kernelOf(), clientOf()];
    const request = client.message("kernel_info_request", {}, { subshell: "s" });
    const reply = kernel.reply(request, { status: "ok" });
    expect(reply.header.msg_type).toBe("kernel_info_reply");
    expect(reply.parent_header).toEqual(request.header);
    expect(kernel.message("status", {}, { parent: request.header }).parent_header).toEqual(request.header);
  });

  it("is identities, delimiter, signature over the four parts as they stand, parts, buffers", () => {
    const message = clientOf().message("execute_request", { code: "é" }, { buffers: [Buffer.from("b")] });
    const frames = clientOf().serialize(message, { identities: [Buffer.from("id")] });
    expect(frames).toHaveLength(8);
    expect(frames.slice(0, 3)).toEqual([Buffer.from("id"), DELIMITER, hmac(frames.slice(3, 7))]);
    expect(JSON.parse(String(frames[6]))).toEqual({ code: "é" });
    expect(String(frames[4])).toBe("{}");
    expect(frames[7]).toEqual(Buffer.from("b"));
  });

  it("arrives as it was, with every unknown field", () => {
    const kernel = kernelOf();
    const sent = header({ extra: [1, { ключ: null }], subshell_id: null });
    const message = delivered(
      kernel.deserialize([Buffer.from("a"), Buffer.from("b"), ...foreign(sent, { content: '{"x": 1.0}' })]),
    );
    expect(message.header).toEqual(sent);
    expect(message.identities.map(String)).toEqual(["a", "b"]);
    expect(message.content).toEqual({ x: 1 });
    expect(message.origin).toBeUndefined();
    expect(message.unsignedBuffers).toBe(false);
  });

  it("is verified as it came: white space, bad UTF-8 and 1.0 change nothing", () => {
    const text = JSON.stringify(header()).replaceAll(",", " ,\n ");
    const bytes = Buffer.concat([
      Buffer.from('{"a": 1.0, "b": "'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const parts = [Buffer.from(text), Buffer.from("{ }"), Buffer.from("{}"), bytes];
    const message = delivered(kernelOf().deserialize([DELIMITER, hmac(parts), ...parts]));
    expect(message.content).toEqual({ a: 1, b: "\ufffd\ufffd" });
  });

  it("may be large, in ASCII and beyond", () => {
    const [kernel, client] = [kernelOf(), clientOf()];
    for (const text of ["a".repeat(10_000), `${"a".repeat(10_000)}é\u{1f469}`]) {
      const frames = client.serialize(client.message("x", { text }));
      expect(delivered(kernel.deserialize(frames)).content).toEqual({ text });
    }
  });

  it("may have content that was packed before", () => {
    const [kernel, client] = [kernelOf(), clientOf()];
    const message: Message = { ...client.message("x"), content: Buffer.from('{"relayed" : true}') };
    expect(delivered(kernel.deserialize(client.serialize(message))).content).toEqual({ relayed: true });
  });

  it.each([
    ["NaN", { x: Number.NaN }],
    ["Infinity", { x: [Number.POSITIVE_INFINITY] }],
    ["a bigint", { x: 1n }],
    ["a function", { x: () => 1 }],
    ["binary", { x: Buffer.from("b") }],
    ["a Map", { x: new Map() }],
    ["undefined in an array", { x: [undefined] }],
    ["__proto__", JSON.parse('{"__proto__": 1}')],
  ])("cannot carry %s", (_, content) => {
    const client = clientOf();
    expect(() => client.serialize(client.message("x", content))).toThrow(TypeError);
    expect(() => client.channel("shell").serialize(client.message("x", content))).toThrow(TypeError);
  });

  it("carries dates as text, and leaves undefined out", () => {
    const [kernel, client] = [kernelOf(), clientOf()];
    const sent = client.message("x", { at: new Date(0), none: undefined, list: [new Date(1)] });
    expect(delivered(kernel.deserialize(client.serialize(sent))).content).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      list: ["1970-01-01T00:00:00.001Z"],
    });
  });
});

describe("schemes", () => {
  const names = getHashes().filter((name) => !name.startsWith("RSA-") && !/^shake|-rsa|with/i.test(name));

  it.each(names)("hmac-%s", (name) => {
    const options = { scheme: `hmac-${name}` };
    const [kernel, client] = [kernelOf(options), clientOf(options)];
    const frames = client.serialize(client.message("x"));
    expect(frames[1]).toEqual(hmac(frames.slice(2), name));
    expect(saidOf(kernel.deserialize(frames))).toBe("ok");
  });

  it.each([
    ["sha3_256", "sha3-256"],
    ["blake2b", "blake2b512"],
    ["blake2s", "blake2s256"],
  ])("under hashlib's name: hmac-%s", (name, hash) => {
    const frames = clientOf({ scheme: `hmac-${name}` }).serialize(clientOf().message("x"));
    expect(frames[1]).toEqual(hmac(frames.slice(2), hash));
  });

  it.each(["sha256", "hmac-", "hmac-sha257", "hmac-shake128", "hmac-SHA256 ", "HMAC-sha256"])(
    "%j is none, and the error says what is",
    (scheme) => {
      expect(() => kernelOf({ scheme })).toThrow(/hmac-sha256/);
    },
  );

  it("keys of any length are text, never hexadecimal", () => {
    for (const key of ["k", "00ff", "x".repeat(200), "ключ"]) {
      const kernel = kernelOf({ key: Buffer.from(key) });
      const frames = clientOf({ key }).serialize(clientOf().message("x"));
      expect(frames[1]).toEqual(hmac(frames.slice(2), "sha256", key));
      expect(saidOf(kernel.deserialize(frames))).toBe("ok");
    }
  });
});

describe("an empty key", () => {
  it("is refused unless it is asked for by name", () => {
    for (const key of ["", new Uint8Array(), undefined]) {
      expect(() => new Session({ key })).toThrow(/unsigned: true/);
    }
    expect(() => new Session({ key: KEY, unsigned: true })).toThrow(/exclude/);
    expect(() => new Session({ unsigned: true, require: "hardened" })).toThrow(/unsigned/);
  });

  it("by name: the signature frame is there, and empty, and nothing is checked", () => {
    const options = { unsigned: true, key: undefined };
    const [kernel, client] = [kernelOf(options), clientOf(options)];
    const frames = client.channel("shell").serialize(client.message("x"));
    expect(frames[1]).toHaveLength(0);
    expect(saidOf(kernel.channel("shell").deserialize(frames))).toBe("ok");
    frames[1] = Buffer.from("anything");
    expect(saidOf(kernel.channel("shell").deserialize(frames))).toBe("ok");
    expect(kernel.channel("shell").stats).toMatchObject({ accepted: 0, unsigned: 2 });
  });
});

describe("what is refused", () => {
  const refused = (frames: Buffer[], kernel = kernelOf()) => {
    const verdict = kernel.deserialize(frames);
    const said = saidOf(verdict);
    if (!verdict.ok) expect(kernel.stats.rejected[verdict.reason]).toBe(1);
    return said;
  };

  it("every length of frames and signatures, and nothing throws", () => {
    const good = foreign(header());
    expect(refused([])).toBe("malformed");
    for (let n = 0; n < good.length; n++) expect(refused(good.slice(0, n))).toBe("malformed");
    for (let n = 0; n <= 200; n++) {
      if (n === 64) continue;
      expect(refused([DELIMITER, Buffer.alloc(n, 0x61), ...good.slice(2)])).toBe(
        n === 0 ? "unsigned" : "malformed",
      );
    }
    expect(refused([DELIMITER, Buffer.alloc(2 ** 20), ...good.slice(2)])).toBe("malformed");
    const [, signature] = good as [Buffer, Buffer];
    expect(refused([DELIMITER, Buffer.from(String(signature).toUpperCase()), ...good.slice(2)])).toBe(
      "bad-signature",
    );
    expect(refused([...Array.from({ length: 33 }, () => Buffer.from("id")), ...good])).toBe("malformed");
    expect(refused([Buffer.alloc(2000), ...good])).toBe("malformed");
  });

  it("any bit of what is signed", () => {
    const good = foreign(header());
    for (let frame = 1; frame < good.length; frame++) {
      for (let bit = 0; bit < (good[frame] as Buffer).length * 8; bit++) {
        const frames = good.map((each) => Buffer.from(each));
        (frames[frame] as Buffer)[bit >> 3]! ^= 1 << (bit & 7);
        expect(refused(frames)).toBe("bad-signature");
      }
    }
  });

  it("what is over the limits, before any cryptography", () => {
    const kernel = kernelOf({ limits: { frames: 7, bytes: 1000 } });
    const good = foreign(header());
    expect(saidOf(kernel.deserialize([...good, ...Array.from({ length: 3 }, () => Buffer.alloc(1))]))).toBe(
      "too-large",
    );
    expect(saidOf(kernel.deserialize([...good, Buffer.alloc(1000)]))).toBe("too-large");
    expect(saidOf(kernel.deserialize([...good, Buffer.alloc(1), Buffer.alloc(1)]))).toBe("ok");
  });

  it.each([
    ["no JSON", "nonsense"],
    ["no dict", "[1]"],
    ["null", "null"],
    ["no id", '{"msg_type": "x"}'],
    ["an id that is no text", '{"msg_id": 7, "msg_type": "x"}'],
    ["a key named __proto__", '{"msg_id": "1", "msg_type": "x", "__proto__": {"polluted": 1}}'],
    ["the same, escaped", '{"msg_id": "1", "msg_type": "x", "\\u005f_\\u0070roto__": {"polluted": 1}}'],
    ["the same, deep inside", '{"msg_id": "1", "msg_type": "x", "a": [{"b": {"__proto__": 1}}]}'],
  ])("genuine, but its header is %s", (_, text) => {
    expect(refused(foreign(text))).toBe("undecodable");
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("genuine, but its content does not unpack, however often it comes", () => {
    const kernel = kernelOf();
    const frames = foreign(header(), { content: "{" });
    expect(saidOf(kernel.deserialize(frames))).toBe("undecodable");
    expect(saidOf(kernel.deserialize(frames))).toBe("undecodable");
  });

  it("nesting of any depth does not throw", () => {
    const deep = `{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(["ok", "undecodable"]).toContain(refused(foreign(header(), { content: deep })));
  });

  it("a source text that speaks of __proto__ is none", () => {
    const content = JSON.stringify({ code: 'x["__proto__"]; "\\u005f_proto__"' });
    expect(saidOf(kernelOf().deserialize(foreign(header(), { content })))).toBe("ok");
  });

  it("no date, a bad one, one years ahead", () => {
    for (const date of [undefined, "yesterday", 7])
      expect(refused(foreign(header({ date })))).toBe("not-live");
    expect(refused(foreign(header({ date: "2200-01-01T00:00:00Z" })))).toBe("future-epoch");
  });
});

describe("replay (42 to 44, 49)", () => {
  it("42: a forged frame with a genuine signature does not use it up", () => {
    const kernel = kernelOf();
    const good = foreign(header());
    const forged = [...good.slice(0, 5), Buffer.from('{"evil": true}')];
    expect(saidOf(kernel.deserialize(forged))).toBe("bad-signature");
    expect(saidOf(kernel.deserialize(good))).toBe("ok");
    expect(saidOf(kernel.deserialize(good))).toBe("replayed");
  });

  it("43: junk evicts nothing; authentic floods do, and reopen nothing", () => {
    const clock = testClock();
    const kernel = kernelOf({ clock, historyBytes: 44 * 100 });
    const client = clientOf({ clock, harden: false });
    const first = client.serialize(client.message("x"));
    expect(saidOf(kernel.deserialize(first))).toBe("ok");
    for (let i = 0; i < 1000; i++) {
      const junk = [DELIMITER, Buffer.from(i.toString(16).padStart(64, "0")), ...first.slice(2)];
      expect(saidOf(kernel.deserialize(junk))).toBe("bad-signature");
    }
    expect(saidOf(kernel.deserialize(first))).toBe("replayed");
    for (let i = 0; i < 1000; i++) kernel.deserialize(client.serialize(client.message("x")));
    expect(saidOf(kernel.deserialize(first))).toBe("not-live");
    expect(saidOf(kernel.deserialize(client.serialize(client.message("x"))))).toBe("ok");
  });

  it("45: a fresh session takes nothing that was signed before it began", () => {
    const clock = testClock();
    const client = clientOf({ clock });
    const old = client.serialize(client.message("x"));
    const kernel = kernelOf({ clock });
    const verdict = kernel.deserialize(old);
    expect(verdict).toMatchObject({
      ok: false,
      reason: "not-live",
      detail: expect.stringContaining("ms before"),
    });
    expect(saidOf(kernelOf({ clock, since: 0 }).deserialize(old))).toBe("ok");
    expect(saidOf(kernel.deserialize(client.serialize(client.message("x"))))).toBe("ok");
  });

  it("45: within the skew that clocks may have", () => {
    const [ahead, behind] = [testClock(Date.now() * 1000 + 5_000_000), testClock()];
    const client = clientOf({ clock: ahead });
    const old = client.serialize(client.message("x"));
    expect(saidOf(kernelOf({ clock: behind }).deserialize(old))).toBe("ok");
    expect(saidOf(kernelOf({ clock: behind, skew: 6000 }).deserialize(old))).toBe("not-live");
  });

  it("too old", () => {
    const clock = testClock();
    const [kernel, client] = [kernelOf({ clock, maxAge: 5000 }), clientOf({ clock })];
    const frames = client.serialize(client.message("x"));
    clock.now += 5_000_001;
    expect(saidOf(kernel.deserialize(frames))).toBe("too-old");
  });

  it("46: one's own message coming back", () => {
    const client = clientOf();
    expect(saidOf(client.deserialize(client.serialize(client.message("x"))))).toBe("reflected");
  });

  it("49: peeking uses nothing up, a clone has a memory of its own, and sends on in the same stream", () => {
    const clock = testClock();
    const [kernel, client] = [kernelOf({ clock }), clientOf({ clock })];
    const clone = kernel.clone();
    const frames = client.serialize(client.message("x"));
    expect(kernel.peek(frames)).toMatchObject({ header: { msg_type: "x" } });
    expect(kernel.peek(frames.slice(1))).toBe("malformed");
    expect(saidOf(kernel.deserialize(frames))).toBe("ok");
    expect(saidOf(clone.deserialize(frames))).toBe("ok");
    expect(saidOf(clone.deserialize(frames))).toBe("replayed");
    expect(saidOf(kernel.clone().deserialize(frames))).toBe("not-live");
    const topics = { identities: [Buffer.from("t")] };
    const one = delivered(
      client.channel("iopub").deserialize(kernel.channel("iopub").serialize(kernel.message("s"), topics)),
    );
    const two = delivered(
      client.channel("iopub").deserialize(clone.channel("iopub").serialize(clone.message("s"), topics)),
    );
    expect([one.origin?.sequence, two.origin?.sequence]).toEqual([1, 2]);
    expect(clone.message("x").header.msg_id).not.toBe(kernel.message("x").header.msg_id);
  });
});

describe("packers", () => {
  it("msgpack carries binary and dates", () => {
    const options = { packer: "msgpack" } as const;
    const [kernel, client] = [kernelOf(options), clientOf(options)];
    const content = { bytes: Buffer.from([1, 2]), list: [1, -1.5, null, "ü"], at: new Date(0) };
    const frames = client.channel("shell").serialize(client.message("x", content, { metadata: { a: 1 } }));
    const message = delivered(kernel.channel("shell").deserialize(frames));
    expect(message.content).toEqual({ ...content, at: "1970-01-01T00:00:00.000Z" });
    expect(message.metadata).toEqual({ a: 1 });
    expect(message.origin).toMatchObject({ sequence: 1 });
  });

  it("one's own", () => {
    const packer = {
      name: "text",
      pack: (value: object) => Buffer.from(`!${JSON.stringify(value)}`),
      unpack: (bytes: Buffer) => JSON.parse(bytes.toString().slice(1)),
    };
    const [kernel, client] = [kernelOf({ packer }), clientOf({ packer })];
    const frames = client.channel("shell").serialize(client.message("x", { a: 1 }));
    expect(delivered(kernel.channel("shell").deserialize(frames)).content).toEqual({ a: 1 });
    expect(saidOf(kernelOf({ packer: "msgpack" }).deserialize(frames))).toBe("undecodable");
  });
});

describe("options", () => {
  it.each([
    [{ packer: "pickle" }, /packer must be/],
    [{ role: "server" }, /role must be/],
    [{ require: "all" }, /require must be/],
    [{ window: -1 }, /window must be/],
    [{ skew: -1 }, /skew must be/],
    [{ historyBytes: 0 }, /historyBytes must be/],
    [{ session: "two words" }, /visible ASCII/],
    [{ onReject: 7 }, /onReject must be a function/],
    [{ keys: 7 }, /keys does not exist/],
    [{ limits: { nothing: 7 } }, /limits.nothing does not exist/],
  ])("%j: an error that says what to write", (options, message) => {
    expect(() => new Session({ key: KEY, ...options } as never)).toThrow(message);
  });

  it("a channel needs a role", () => {
    expect(() => new Session({ key: KEY }).channel("shell")).toThrow(/role/);
    expect(() => kernelOf().channel("hb" as never)).toThrow(/shell, control, stdin, iopub/);
  });

  it("what onReject throws does not come into the loop", () => {
    const told: string[] = [];
    const kernel = kernelOf({ onReject: ({ reason }) => void told.push(reason) });
    expect(saidOf(kernel.deserialize([Buffer.from("junk")]))).toBe("malformed");
    expect(told).toEqual(["malformed"]);
  });
});
