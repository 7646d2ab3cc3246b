// Between two ends that harden: every promise that Countersign's own sockets keep, and no way down from it.

import { createHmac } from "node:crypto";
import { MemoryState } from "countersign/core";
import { HARDENED_KEY, type Message, type Session } from "countersign/jupyter";
import { describe, expect, it } from "vitest";
import { clientOf, delivered, KEY, kernelOf, saidOf, testClock } from "./ends.js";

const TOPIC = Buffer.from("kernel.1.status");
const ID = Buffer.from("id");

/** Signed again with the right key: what only a key holder could have made. */
function resigned(
  frames: readonly Buffer[],
  change: (stamp: Record<string, unknown>) => void,
  topic = 0,
): Buffer[] {
  const metadata = JSON.parse(String(frames[topic + 4]));
  change(metadata[HARDENED_KEY]);
  const parts = frames.slice(topic + 2, topic + 6);
  parts[2] = Buffer.from(JSON.stringify(metadata));
  const mac = createHmac("sha256", KEY);
  for (const part of parts) mac.update(part);
  return [
    ...frames.slice(0, topic + 1),
    Buffer.from(mac.digest("hex")),
    ...parts,
    ...frames.slice(topic + 6),
  ];
}

function pair(options: Parameters<typeof kernelOf>[0] = {}) {
  const clock = testClock();
  const [kernel, client] = [kernelOf({ clock, ...options }), clientOf({ clock, ...options })];
  const ask = (message: Message = client.message("execute_request", { code: "1" })) =>
    client.channel("shell").serialize(message);
  const answer = (to: string | null = client.id, buffers: Buffer[] = []) =>
    kernel
      .channel("shell")
      .serialize(kernel.message("execute_reply", {}, { buffers }), { identities: [ID], to });
  const publish = (buffers: Buffer[] = []) =>
    kernel
      .channel("iopub")
      .serialize(kernel.message("display_data", {}, { buffers }), { identities: [TOPIC] });
  return { clock, kernel, client, ask, answer, publish };
}

const shell = (end: Session) => end.channel("shell");
const withoutId = (frames: readonly Buffer[]) => frames.slice(1);

describe("a hardened message", () => {
  it("bears its stream, number, epoch, direction, recipient and digests in signed metadata, and hides them", () => {
    const { client, answer } = pair();
    const frames = withoutId(answer(client.id, [Buffer.from("b")]));
    const { [HARDENED_KEY]: stamp } = JSON.parse(String(frames[4]));
    expect(stamp).toEqual({
      v: 1,
      sender: expect.any(String),
      channel: "shell",
      from: "kernel",
      to: client.id,
      epoch: expect.any(Number),
      sequence: 1,
      ordinal: 1,
      sent: expect.any(Number),
      buffers: ["3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"],
    });
    const message = delivered(shell(client).deserialize(frames));
    expect(message.metadata).toEqual({});
    expect(message.unsignedBuffers).toBe(false);
    expect(message.origin).toEqual({
      sender: stamp.sender,
      channel: "shell",
      pattern: "router",
      keyId: expect.stringMatching(/^[0-9a-f]{8}$/),
      epoch: stamp.epoch,
      sequence: 1,
      sentAt: stamp.sent,
      addressed: true,
      late: false,
    });
  });

  it("keeps the application's metadata beside it, and nothing that it put under the key itself", () => {
    const { kernel, client, ask } = pair();
    const metadata = { 'a"b': 1, [HARDENED_KEY]: "mine" };
    const frames = ask(client.message("x", {}, { metadata }));
    expect(delivered(shell(kernel).deserialize(frames)).metadata).toEqual({ 'a"b': 1 });
  });

  it("is read by a plain session as plain Jupyter", () => {
    const { clock, ask } = pair();
    const plain = kernelOf({ clock, harden: false });
    expect(delivered(shell(plain).deserialize(ask())).origin).toBeUndefined();
    expect(saidOf(plain.deserialize(ask()))).toBe("ok");
  });

  it("is numbered by channel, and gaps are told", () => {
    const lost: number[] = [];
    const { kernel, client, ask } = pair({ onGap: (gap) => void lost.push(gap.lost) });
    const sent = [1, 2, 3, 4, 5].map(() => ask());
    for (const i of [0, 1, 4]) expect(saidOf(shell(kernel).deserialize(sent[i]!))).toBe("ok");
    expect(lost).toEqual([2]);
    expect(shell(kernel).stats).toMatchObject({ accepted: 3, plain: 0, gaps: 1, lost: 2, streams: 1 });
    const control = client.channel("control").serialize(client.message("shutdown_request"));
    expect(delivered(kernel.channel("control").deserialize(control)).origin?.sequence).toBe(1);
  });

  it("gives its number back when it never left, and costs none when it cannot be packed", () => {
    const { kernel, client, ask } = pair();
    shell(client).retract(ask());
    expect(() => ask(client.message("x", { n: Number.NaN }))).toThrow(TypeError);
    expect(() => ask(client.message("x", {}, { metadata: { n: Number.NaN } }))).toThrow(TypeError);
    expect(delivered(shell(kernel).deserialize(ask())).origin?.sequence).toBe(1);
  });
});

describe("intact, attributed, in its place (46, 47)", () => {
  it("47: a buffer added, taken away, changed, swapped", () => {
    const { client, publish } = pair();
    const buffers = [Buffer.from("one"), Buffer.from("two")];
    const frames = publish(buffers);
    const [one, two] = frames.slice(-2) as [Buffer, Buffer];
    const head = frames.slice(0, -2);
    const iopub = client.channel("iopub");
    for (const changed of [
      [],
      [one],
      [one, two, two],
      [one, Buffer.from("twO")],
      [two, one],
      [Buffer.alloc(0), one, two],
    ]) {
      expect(saidOf(iopub.deserialize([...head, ...changed]))).toBe("bad-buffers");
    }
    expect(delivered(iopub.deserialize(frames)).buffers).toEqual(buffers);
  });

  it("another topic, none, one frame more in front", () => {
    const { client, publish } = pair();
    const iopub = client.channel("iopub");
    const [, ...rest] = publish();
    for (const front of [[], [Buffer.from("kernel.2.status")], [TOPIC, TOPIC]]) {
      expect(saidOf(iopub.deserialize([...front, ...rest]))).toBe("wrong-topic");
    }
    expect(saidOf(iopub.deserialize([TOPIC, ...rest]))).toBe("ok");
  });

  it("46: one's own message back, on the same channel and on another", () => {
    const { client, ask } = pair();
    const frames = ask();
    expect(saidOf(shell(client).deserialize(frames))).toBe("reflected");
    expect(saidOf(client.channel("iopub").deserialize(frames))).toBe("reflected");
    expect(saidOf(shell(clientOf()).deserialize(frames))).toBe("wrong-pattern");
  });

  it("46: a shell message on control, stdin", () => {
    const { kernel, ask } = pair();
    const frames = ask();
    expect(saidOf(kernel.channel("control").deserialize(frames))).toBe("wrong-channel");
    expect(saidOf(kernel.channel("stdin").deserialize(frames))).toBe("wrong-channel");
    expect(saidOf(shell(kernel).deserialize(frames))).toBe("ok");
  });

  it("another client's reply, one for nobody, a request for another kernel", () => {
    const { clock, kernel, client, answer } = pair();
    expect(saidOf(shell(client).deserialize(withoutId(answer("somebody"))))).toBe("wrong-recipient");
    expect(saidOf(shell(client).deserialize(withoutId(answer(null))))).toBe("not-addressed");
    const choosy = clientOf({ clock, to: "another-kernel" });
    expect(saidOf(shell(kernel).deserialize(shell(choosy).serialize(choosy.message("x"))))).toBe(
      "wrong-recipient",
    );
    const right = clientOf({ clock, to: kernel.id });
    expect(
      delivered(shell(kernel).deserialize(shell(right).serialize(right.message("x")))).origin?.addressed,
    ).toBe(true);
  });

  const outOfForm: [string, unknown][] = [
    ["v", 2],
    ["v", "1"],
    ["sender", ""],
    ["sender", "two words"],
    ["sender", "~x"],
    ["sender", "n".repeat(65)],
    ["channel", "hb"],
    ["from", "broker"],
    ["to", 7],
    ["to", ""],
    ["topic", "t"],
    ["epoch", 0],
    ["epoch", 2 ** 53],
    ["sequence", 0],
    ["sequence", 1.5],
    ["sequence", "1"],
    ["ordinal", -1],
    ["sent", null],
    ["buffers", {}],
    ["buffers", ["AB"]],
    ["buffers", ["A".repeat(64)]],
    ["extra", 1],
  ];
  it.each(outOfForm)("a field out of form, signed by a key holder: %s %j", (name, value) => {
    const { kernel, ask } = pair();
    const frames = resigned(ask(), (stamp) => Object.assign(stamp, { [name]: value }));
    expect(saidOf(shell(kernel).deserialize(frames))).toBe(
      name === "v" && value === 2 ? "unsupported-version" : "malformed",
    );
  });

  it.each([null, [], "x", 7, {}])("no field at all, but %j", (field) => {
    const { kernel, client, ask } = pair();
    const frames = resigned(ask(client.message("x")), () => {});
    const metadata = Buffer.from(JSON.stringify({ [HARDENED_KEY]: field }));
    const parts = [frames[2]!, frames[3]!, metadata, frames[5]!];
    const mac = createHmac("sha256", KEY);
    for (const part of parts) mac.update(part);
    expect(saidOf(shell(kernel).deserialize([frames[0]!, Buffer.from(mac.digest("hex")), ...parts]))).toBe(
      "malformed",
    );
  });
});

describe("at most once, in order, live", () => {
  it("the same again; an earlier one after a later", () => {
    const { kernel, ask } = pair();
    const [one, two, three] = [ask(), ask(), ask()];
    expect([one, one, three, two, three].map((frames) => saidOf(shell(kernel).deserialize(frames)))).toEqual([
      "ok",
      "replayed",
      "ok",
      "replayed",
      "replayed",
    ]);
  });

  it("with a window late ones are taken once, and marked", () => {
    const { kernel, ask } = pair({ window: 8 });
    const [one, two, three] = [ask(), ask(), ask()];
    expect(saidOf(shell(kernel).deserialize(one))).toBe("ok");
    expect(saidOf(shell(kernel).deserialize(three))).toBe("ok");
    expect(delivered(shell(kernel).deserialize(two)).origin?.late).toBe(true);
    expect(saidOf(shell(kernel).deserialize(two))).toBe("replayed");
  });

  it("45: a fresh receiver takes no recording", () => {
    const { clock, ask } = pair();
    const recorded = [ask(), ask()];
    const restarted = kernelOf({ clock });
    for (const frames of recorded) expect(saidOf(shell(restarted).deserialize(frames))).toBe("not-live");
    expect(saidOf(shell(restarted).deserialize(ask()))).toBe("ok");
    for (const frames of recorded) expect(saidOf(shell(restarted).deserialize(frames))).toBe("replayed");
  });

  it("what is addressed to a name made at this start needs no clock", () => {
    const clock = testClock();
    const client = clientOf({ clock });
    const kernel = kernelOf({ clock: testClock(clock.now - 3_600_000_000) });
    const reply = () =>
      withoutId(shell(kernel).serialize(kernel.message("x_reply"), { identities: [ID], to: client.id }));
    expect(saidOf(shell(client).deserialize(reply()))).toBe("ok");
    expect(saidOf(shell(client.clone()).deserialize(reply()))).toBe("not-live");
    const named = clientOf({ clock, session: "named" });
    const frames = shell(kernel).serialize(kernel.message("x_reply"), { identities: [ID], to: "named" });
    expect(saidOf(shell(named).deserialize(withoutId(frames)))).toBe("not-live");
  });

  it("an earlier start of the sender, an epoch years ahead", () => {
    const clock = testClock();
    const kernel = kernelOf({ clock });
    const first = clientOf({ clock, session: "s" });
    const old = shell(first).serialize(first.message("x"));
    first.close();
    const second = clientOf({ clock, session: "s" });
    expect(saidOf(shell(kernel).deserialize(shell(second).serialize(second.message("x"))))).toBe("ok");
    expect(saidOf(shell(kernel).deserialize(old))).toBe("stale-epoch");
    const future = resigned(shell(second).serialize(second.message("x")), (stamp) => {
      stamp.epoch = 2 ** 52;
      stamp.sent = 2 ** 52;
    });
    expect(saidOf(shell(kernel).deserialize(future))).toBe("future-epoch");
  });

  it("two live sessions of one name in one thread are an error", () => {
    const client = clientOf({ session: "twin" });
    shell(client).serialize(client.message("x"));
    const twin = clientOf({ session: "twin" });
    expect(() => shell(twin).serialize(twin.message("x"))).toThrow(/already signs/);
    client.close();
    twin.close();
  });

  it("memory that is shared: two receivers of one name take a message once", () => {
    const clock = testClock();
    const state = new MemoryState({ clock });
    const [a, b] = [kernelOf({ clock, state, receiver: "r" }), kernelOf({ clock, state, receiver: "r" })];
    const client = clientOf({ clock });
    const frames = shell(client).serialize(client.message("x"));
    expect([a, b].map((end) => saidOf(shell(end).deserialize(frames)))).toEqual(["ok", "replayed"]);
  });

  it("memory elsewhere: rulings come as promises, in order", async () => {
    const clock = testClock();
    const memory = new MemoryState({ clock });
    const table: MemoryState["table"] = (...args) => {
      const streams = memory.table(...args);
      const admit = streams.admit.bind(streams);
      return Object.assign(streams, {
        admit: async (claim: Parameters<typeof admit>[0]) => admit(claim),
      }) as never;
    };
    const kernel = kernelOf({ clock, state: { asynchronous: true, table } });
    const client = clientOf({ clock });
    const frames = shell(client).serialize(client.message("x"));
    expect(() => shell(kernel).deserialize(frames)).toThrow(/deserializeAsync/);
    const verdicts = await Promise.all([1, 2].map(() => shell(kernel).deserializeAsync(frames)));
    expect(verdicts.map(saidOf)).toEqual(["ok", "replayed"]);
  });

  it("epochs that are stored elsewhere are awaited", async () => {
    const memory = new MemoryState();
    const state = Object.assign(memory, { nextEpoch: async (_: object, atLeast: number) => atLeast + 5 });
    const client = clientOf({ state });
    expect(() => shell(client).serialize(client.message("x"))).toThrow(/await ready/);
    await shell(client).ready;
    expect(shell(client).serialize(client.message("x"))).toHaveLength(6);
  });
});

describe("no way down", () => {
  const plainFrom = (session: Session, type = "status", topic = true) =>
    session.serialize(session.message(type), { identities: topic ? [TOPIC] : [] });

  it("a plain message from a session that hardens is refused, on every channel", () => {
    const { kernel, client, ask } = pair();
    expect(saidOf(shell(kernel).deserialize(plainFrom(client, "x", false)))).toBe("ok");
    expect(saidOf(shell(kernel).deserialize(ask()))).toBe("ok");
    expect(saidOf(shell(kernel).deserialize(plainFrom(client, "x", false)))).toBe("not-hardened");
    expect(saidOf(kernel.channel("control").deserialize(plainFrom(client, "x", false)))).toBe("not-hardened");
  });

  it("a kernel goes on serving plain clients beside hardened ones", () => {
    const { clock, kernel, ask } = pair();
    const plain = clientOf({ clock, harden: false });
    expect(saidOf(shell(kernel).deserialize(ask()))).toBe("ok");
    const message = delivered(shell(kernel).deserialize(shell(plain).serialize(plain.message("x_request"))));
    expect(message.origin).toBeUndefined();
    expect(shell(kernel).stats).toMatchObject({ accepted: 2, plain: 1 });
  });

  it("a client that heard its hardened kernel takes nothing else, on any channel", () => {
    const { clock, client, publish } = pair();
    const other = kernelOf({ clock, harden: false });
    const iopub = client.channel("iopub");
    expect(saidOf(iopub.deserialize(plainFrom(other)))).toBe("ok");
    expect(saidOf(iopub.deserialize(publish()))).toBe("ok");
    expect(saidOf(iopub.deserialize(plainFrom(other)))).toBe("not-hardened");
    expect(saidOf(shell(client).deserialize(plainFrom(other, "x_reply", false)))).toBe("not-hardened");
  });

  it("a clone knows who hardens, and what its original sent", () => {
    const { clock, client, publish } = pair();
    const other = kernelOf({ clock, harden: false });
    expect(saidOf(client.channel("iopub").deserialize(publish()))).toBe("ok");
    const clone = client.clone();
    expect(saidOf(clone.channel("iopub").deserialize(plainFrom(other)))).toBe("not-hardened");
    const plain = clientOf({ clock, harden: false });
    expect(saidOf(plain.clone().deserialize(plain.serialize(plain.message("x"))))).toBe("reflected");
  });

  it("a plain kernel that puts its client's session into its headers is understood", () => {
    const { clock, client } = pair();
    const other = kernelOf({ clock, harden: false, session: client.id });
    expect(saidOf(shell(client).deserialize(plainFrom(other, "x_reply", false)))).toBe("ok");
  });

  it('require: "signed" takes plain kernels beside hardened ones, but not in a hardened one\'s name', () => {
    const { clock, kernel, client, publish } = pair({ require: "signed" });
    const other = kernelOf({ clock, harden: false });
    const iopub = client.channel("iopub");
    expect(saidOf(iopub.deserialize(publish()))).toBe("ok");
    expect(saidOf(iopub.deserialize(plainFrom(other)))).toBe("ok");
    expect(saidOf(iopub.deserialize(plainFrom(kernel)))).toBe("not-hardened");
  });

  it('require: "hardened" takes nothing else from the start', () => {
    const { clock, kernel, ask } = pair({ require: "hardened" });
    const plain = clientOf({ clock, harden: false });
    expect(saidOf(shell(kernel).deserialize(shell(plain).serialize(plain.message("x"))))).toBe(
      "not-hardened",
    );
    expect(saidOf(shell(kernel).deserialize(ask()))).toBe("ok");
  });

  it.each([
    ["client", "shell", "execute_request", "wrong-channel"],
    ["client", "iopub", "execute_reply", "wrong-channel"],
    ["client", "iopub", "execute_request", "wrong-channel"],
    ["client", "iopub", "shutdown_reply", "ok"],
    ["client", "stdin", "input_request", "ok"],
    ["client", "shell", "input_request", "wrong-channel"],
    ["kernel", "shell", "execute_reply", "wrong-channel"],
    ["kernel", "stdin", "input_reply", "ok"],
    ["kernel", "stdin", "execute_request", "wrong-channel"],
    ["kernel", "shell", "comm_msg", "ok"],
    ["client", "iopub", "comm_msg", "ok"],
  ] as const)(
    "a plain message's type says where it cannot be: to a %s on %s, %s",
    (role, channel, type, said) => {
      const clock = testClock();
      const receiver = role === "kernel" ? kernelOf({ clock }) : clientOf({ clock });
      const other = kernelOf({ clock, harden: false });
      expect(saidOf(receiver.channel(channel).deserialize(plainFrom(other, type, false)))).toBe(said);
    },
  );
});
