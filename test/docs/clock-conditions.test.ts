// What SECURITY.md says of admission by clock, measured: a signer whose clock is off by `ahead`, a receiver that starts
// with an empty memory, and every moment of signing around that start.

import { describe, expect, it } from "vitest";
import { generateKey, MemoryState, Signer, Verifier } from "../../src/core.js";

const START = 1_700_000_000_000_000;
const STEP = 100_000;
const key = generateKey();
const OFFSETS = [-3, -1, 0, 1, 2, 5].map((steps) => steps * STEP);
const SKEWS = [0, 1, 2].map((steps) => steps * STEP);
const cases = OFFSETS.flatMap((ahead) => SKEWS.map((skew) => ({ ahead, skew })));

/** Messages signed at these moments of the receiver's clock, by a sender whose clock is off. */
function record(moments: readonly number[], ahead: number): Buffer[][] {
  let now = (moments[0] as number) + ahead;
  const signer = new Signer({ key, pattern: "push", sender: "sender", clock: () => now });
  const messages = moments.map((moment) => {
    now = moment + ahead;
    return signer.sign("x");
  });
  signer.close();
  return messages;
}

/** A receiver whose memory begins when its clock shows `since`. */
function receiver(since: number, skew: number): Verifier {
  const clock = () => since;
  return new Verifier({
    key,
    pattern: "pull",
    skew: skew / 1000,
    state: new MemoryState({ clock }),
    clock: () => START + 60_000_000,
  });
}

/** Moments from ten steps before the start to ten steps after it. */
const moments = Array.from({ length: 21 }, (_, i) => START + (i - 10) * STEP);

/** Which moments' messages a receiver that starts now lets in, each as the first that it hears. */
function admitted(ahead: number, skew: number, since = START): number[] {
  const messages = record(moments, ahead);
  return moments.filter((_, i) => receiver(since, skew).verify(messages[i] as Buffer[]).ok);
}

describe.each(cases)("a sender $ahead µs ahead, a skew of $skew µs", ({ ahead, skew }) => {
  it("lets in the recordings of the last (ahead - skew) before the start, and no other", () => {
    const recordings = admitted(ahead, skew).filter((moment) => moment <= START);
    expect(recordings).toEqual(
      moments.filter((moment) => moment <= START && moment > START - (ahead - skew)),
    );
    if (ahead <= skew) expect(recordings).toEqual([]);
  });

  it("costs the honest messages of the first (skew - ahead) after the start", () => {
    const heard = admitted(ahead, skew);
    const refused = moments.filter((moment) => moment > START && !heard.includes(moment));
    expect(refused).toEqual(moments.filter((moment) => moment > START && moment <= START + skew - ahead));
  });

  it("lets in none of them once a live message was heard", () => {
    const messages = record(moments, ahead);
    const pull = receiver(START, skew);
    expect(pull.verify(messages.at(-1) as Buffer[]).ok).toBe(true);
    for (const message of messages) expect(pull.verify(message).ok).toBe(false);
  });
});

it("a receiver's clock that was set back makes its senders look that much further ahead", () => {
  const back = 3 * STEP;
  expect(admitted(0, 0, START - back).filter((moment) => moment <= START)).toEqual(
    moments.filter((moment) => moment <= START && moment > START - back),
  );
});

describe("a sender's clock that is set back", () => {
  function setBack(by: number) {
    let now = START + 10_000_000;
    const signer = new Signer({ key, pattern: "push", sender: "sender", clock: () => now });
    const pull = receiver(START, 0);
    const first = pull.verify(signer.sign("before"));
    now -= by;
    const second = pull.verify(signer.sign("after"));
    signer.close();
    if (!first.ok || first.origin === undefined) throw new Error("the first message is live");
    return { before: first.origin, after: second };
  }

  it("by up to 100 ms leaves sent-at where it was", () => {
    const { before, after } = setBack(100_000);
    const { epoch, sentAt } = before;
    expect(after).toMatchObject({ ok: true, origin: { epoch, sentAt, sequence: 2 } });
  });

  it("by more begins a new epoch at the clock's time", () => {
    const { before, after } = setBack(100_001);
    const sentAt = before.sentAt - 100_001;
    expect(after).toMatchObject({ ok: true, origin: { epoch: before.epoch + 1, sentAt, sequence: 1 } });
  });

  it("beyond the receiver's start is refused until it has passed it", () => {
    expect(setBack(10_000_000).after).toMatchObject({ ok: false, reason: "not-live" });
  });
});
