// What a session tells: counters, callbacks that cannot hurt it, diagnostics channels; and that nothing told is a secret.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  type Gap,
  Key,
  Keyring,
  type Rejection,
  type Verdict,
  type VerifierOptions,
} from "../../src/core.js";
import { REASONS } from "../../src/reasons.js";
import { Observer } from "../../src/session/observer.js";
import { sampleSecret } from "../keys/sample-keys.js";
import { channelSecretOf } from "../wire/reference.js";
import { linkOf, SECRET, saidOf, signerOf, testClock, verifierOf } from "./parties.js";

test("all counters begin at zero, one for each reason", () => {
  const { stats } = linkOf().verifier;
  expect(stats).toEqual({
    accepted: 0,
    unsigned: 0,
    rejected: Object.fromEntries(Object.keys(REASONS).map((reason) => [reason, 0])),
    gaps: 0,
    lost: 0,
    streams: 0,
    forgotten: 0,
    twins: 0,
  });
});

test("what is told of counters is a copy", () => {
  const link = linkOf();
  const before = link.verifier.stats;
  link.verify([Buffer.from("x")]);
  expect(before.rejected.unsigned).toBe(0);
  (link.verifier.stats.rejected as Record<string, number>).unsigned = 99;
  expect(link.verifier.stats.rejected.unsigned).toBe(1);
});

test("every message is counted once: accepted, or refused for one reason", () => {
  const link = linkOf();
  const genuine = link.send("a");
  const batch = link.sendBatch(["b"], ["c"]);
  const offered = [
    genuine,
    genuine,
    batch,
    batch,
    [],
    [Buffer.from("x")],
    [(genuine[0] as Buffer).subarray(0, 9)],
  ];
  for (const frames of offered) link.verify(frames);
  const { accepted, rejected } = link.verifier.stats;
  expect({
    accepted,
    ...Object.fromEntries(Object.entries(rejected).filter(([, count]) => count > 0)),
  }).toEqual({
    accepted: 3,
    unsigned: 2,
    malformed: 1,
    replayed: 2,
  });
});

describe("callbacks", () => {
  test("hear every refusal, as the verdict has it", () => {
    const heard: Rejection[] = [];
    const link = linkOf({ verifying: { onReject: (rejection) => heard.push(rejection) } });
    const frames = link.send("a");
    link.verify(frames);
    const [replayed, unsigned] = [link.verify(frames), link.verify([])];
    const { stranger, ...told } = replayed as Extract<Verdict, { ok: false }>;
    expect(stranger?.origin.sender).toBe("alice");
    expect(heard.map((rejection) => ({ ok: false, ...rejection }))).toEqual([told, unsigned]);
  });

  /** Runs `work` and gives what the process is told of by an uncaught exception. */
  async function uncaught(work: () => void): Promise<unknown> {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const told = new Promise((resolve) => process.once("uncaughtException", resolve));
      work();
      return await told;
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  }

  test("that throw end neither the message nor the loop, and the process hears of it", async () => {
    const bug = new Error("a listener's bug");
    const link = linkOf({
      verifying: {
        onReject: () => {
          throw bug;
        },
      },
    });
    const error = await uncaught(() => {
      expect(saidOf(link.verify([]))).toBe("unsigned");
      expect(saidOf(link.verify(link.send("a")))).toBe("ok");
    });
    expect(error).toBe(bug);
    expect(link.verifier.stats).toMatchObject({ accepted: 1, rejected: { unsigned: 1 } });
  });

  test("that throw at a gap do not take the message with them", async () => {
    const bug = new Error("a listener's bug");
    const link = linkOf({
      from: "pub",
      to: "sub",
      verifying: {
        onGap: () => {
          throw bug;
        },
      },
    });
    link.verify(link.send("1"));
    link.send("lost");
    const error = await uncaught(() => expect(saidOf(link.verify(link.send("3")))).toBe("ok"));
    expect(error).toBe(bug);
  });
});

describe("diagnostics channels", () => {
  function listening(name: string): { heard: unknown[]; stop: () => void } {
    const heard: unknown[] = [];
    const listener = (event: unknown) => heard.push(event);
    subscribe(name, listener);
    return { heard, stop: () => unsubscribe(name, listener) };
  }

  test("tell of every delivered message, of every refusal and of every gap", () => {
    const [accepted, rejected, gaps] = ["accepted", "rejected", "gap"].map((name) =>
      listening(`countersign:${name}`),
    ) as [ReturnType<typeof listening>, ReturnType<typeof listening>, ReturnType<typeof listening>];
    try {
      const refusals: Rejection[] = [];
      const reported: Gap[] = [];
      const link = linkOf({
        from: "pub",
        to: "sub",
        verifying: { onReject: (rejection) => refusals.push(rejection), onGap: (gap) => reported.push(gap) },
      });
      const verdict = link.verify(link.sendBatch(["a"], ["b"]));
      link.send("lost");
      link.verify(link.send("c"));
      link.verify([]);
      expect(accepted.heard).toHaveLength(3);
      expect(accepted.heard[0]).toBe(verdict.ok && verdict.origin);
      expect(rejected.heard).toEqual(refusals);
      expect(rejected.heard).toHaveLength(1);
      expect(gaps.heard).toEqual(reported);
      expect(gaps.heard).toHaveLength(1);
    } finally {
      for (const { stop } of [accepted, rejected, gaps]) stop();
    }
  });

  test("are silent when nobody listens any more", () => {
    const { heard, stop } = listening("countersign:rejected");
    stop();
    linkOf().verify([]);
    expect(heard).toEqual([]);
  });
});

describe("a receiver that nobody listens to", () => {
  interface Warning extends Error {
    readonly code?: string;
  }

  /** The process warnings that `work` leads to. */
  async function warnings(work: () => void): Promise<Warning[]> {
    const heard: Warning[] = [];
    const listener = (warning: Warning) => heard.push(warning);
    process.on("warning", listener);
    try {
      work();
      await new Promise(setImmediate);
    } finally {
      process.off("warning", listener);
    }
    return heard.filter(({ name }) => name === "CountersignWarning");
  }

  /** A link whose messages were signed before its receiver was up. */
  function early(verifying: Partial<VerifierOptions> = {}) {
    const link = linkOf({ signing: { clock: () => 5 }, verifying: { channel: "shell", ...verifying } });
    const signer = signerOf({ pattern: "push", channel: "shell", clock: () => 5 });
    return { link, refuse: () => expect(saidOf(link.verify(signer.sign("x")))).toBe("not-live") };
  }

  test("warns once of what was signed before it was up, and says how to hear of each", async () => {
    const { refuse } = early();
    const [warning, ...more] = await warnings(() => {
      refuse();
      refuse();
    });
    expect(warning).toMatchObject({
      code: "COUNTERSIGN_NOT_LIVE",
      message: expect.stringMatching(
        /^A message on channel "shell" was refused\. .* signed .* before .* Set signing\.onReject to see each\.$/,
      ),
    });
    expect(more).toEqual([]);
    expect(await warnings(refuse)).toEqual([]);
  });

  test("does not warn of other refusals", async () => {
    const { link } = early();
    expect(await warnings(() => link.verify([]))).toEqual([]);
  });

  test("does not warn where somebody listens", async () => {
    expect(await warnings(early({ onReject: () => {} }).refuse)).toEqual([]);
    const listener = () => {};
    subscribe("countersign:rejected", listener);
    try {
      expect(await warnings(early().refuse)).toEqual([]);
    } finally {
      unsubscribe("countersign:rejected", listener);
    }
  });
});

describe("what the other end says of this one", () => {
  const origin = () => {
    const link = linkOf();
    const verdict = link.verify(link.send("a"));
    if (!verdict.ok || verdict.origin === undefined) throw new Error("The message is genuine.");
    return verdict.origin;
  };

  /** What callbacks, channels, counters and process warnings say of it. */
  async function told(said: { forgotten?: number; twin?: number }, listeners: Partial<VerifierOptions>) {
    const warned: (Error & { code?: string })[] = [];
    const warn = (warning: Error) => warned.push(warning);
    process.on("warning", warn);
    const verifier = verifierOf({ pattern: "dealer", channel: "shell", ...listeners });
    verifier.tell(said, origin());
    verifier.tell(said, origin());
    await new Promise(setImmediate);
    process.off("warning", warn);
    return { warned: warned.filter(({ name }) => name === "CountersignWarning"), stats: verifier.stats };
  }

  test("it has forgotten it: the callback, the channel and the counter tell, no warning", async () => {
    const heard: unknown[] = [];
    const listener = (event: unknown) => heard.push(event);
    subscribe("countersign:forgotten", listener);
    const { warned, stats } = await told({ forgotten: 3 }, { onForgotten: listener });
    unsubscribe("countersign:forgotten", listener);
    expect(heard).toEqual(Array(4).fill({ peer: "alice", channel: "shell", lost: 3 }));
    expect(stats).toMatchObject({ forgotten: 2, twins: 0 });
    expect(warned).toEqual([]);
  });

  test("it has heard a twin: the callback, the channel and the counter tell", async () => {
    const heard: unknown[] = [];
    const listener = (event: unknown) => heard.push(event);
    subscribe("countersign:twin", listener);
    const { warned, stats } = await told({ twin: 99 }, { onTwin: listener });
    unsubscribe("countersign:twin", listener);
    expect(heard).toEqual(Array(4).fill({ sender: "bob", channel: "shell", peer: "alice", epoch: 99 }));
    expect(stats).toMatchObject({ forgotten: 0, twins: 2 });
    expect(warned).toEqual([]);
  });

  test("of a twin that nobody listens for the process is warned, once", async () => {
    const { warned } = await told({ twin: 99 }, {});
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatchObject({
      code: "COUNTERSIGN_TWIN",
      message: expect.stringMatching(
        /^Another process signs as "bob" on channel "shell" and was started later: "alice" hears that one alone\. /,
      ),
    });
    expect((await told({ twin: 99 }, { onTwin: () => {} })).warned).toEqual([]);
  });

  test("under challenge nobody is warned of what is not live: its sender is asked", async () => {
    const warned: Error[] = [];
    const warn = (warning: Error) => warned.push(warning);
    process.on("warning", warn);
    const link = linkOf({ from: "dealer", to: "router", verifying: { admit: "challenge" } });
    expect(saidOf(link.verify(link.send("a")))).toBe("not-live");
    await new Promise(setImmediate);
    process.off("warning", warn);
    expect(warned).toEqual([]);
  });
});

test("what is withdrawn was not handed on", () => {
  const observer = new Observer({}, true);
  observer.unsigned();
  observer.unsigned();
  observer.withdrawn(false);
  expect(observer.stats(7)).toMatchObject({ accepted: 0, unsigned: 1, streams: 7 });
});

test("no secret and no expected tag in anything that is told or can be looked at", () => {
  const clock = testClock();
  const ring = new Keyring([SECRET, sampleSecret(2)]);
  const told: unknown[] = [];
  const link = linkOf({
    from: "pair",
    to: "pair",
    verifying: { key: ring, onReject: (rejection) => told.push(rejection) },
  });
  const genuine = link.send("a") as [Buffer];
  const forged = Buffer.from(genuine[0]).fill(0, 45, 77);
  told.push(link.verify([forged]), link.verify(genuine), link.verify(genuine), link.verifier.stats);
  told.push(link.verifier, link.signer, ring, new Key(SECRET), signerOf({ pattern: "req", clock }));
  for (const wrong of [SECRET.toString("hex"), SECRET.subarray(0, 31), { k: SECRET }]) {
    try {
      signerOf({ pattern: "push", key: wrong as Buffer });
    } catch (error) {
      told.push(error, (error as Error).message, (error as Error).stack);
    }
  }
  const shown = told
    .map(
      (item) =>
        inspect(item, { showHidden: true, depth: 20, maxStringLength: null, maxArrayLength: null }) +
        JSON.stringify(item),
    )
    .join("\n");
  const secrets = [SECRET, sampleSecret(2), channelSecretOf(SECRET, "alice", "")];
  const tag = genuine[0].subarray(45, 77);
  for (const secret of [...secrets, tag]) {
    for (const encoding of ["hex", "base64", "base64url"] as const) {
      expect(shown).not.toContain(secret.toString(encoding).slice(0, 8));
    }
    expect(shown).not.toContain(
      [...secret.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    );
    expect(shown).not.toContain([...secret.subarray(0, 5)].join(","));
    expect(shown).not.toContain([...secret.subarray(0, 5)].join(", "));
  }
});
