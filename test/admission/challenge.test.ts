// Admission by challenge (docs/wire.md, sections 8.6 and 8.7): no message proves anything by itself, but what answers this
// receiver's own request.

import { describe, expect, it } from "vitest";
import { type Candidate, LIVE } from "../../src/admission/admission.js";
import { admitByChallenge } from "../../src/admission/challenge.js";

const SECOND = 1_000_000;
const NOW = 1_000 * SECOND;

function candidate(header: Partial<Candidate["header"]> = {}, more: Partial<Candidate> = {}): Candidate {
  return {
    header: {
      kind: "data",
      flags: 0,
      pattern: "dealer",
      keyId: 1,
      ordinal: 0,
      epoch: NOW,
      sequence: 1,
      sentAt: NOW,
      sender: "alice",
      ...header,
    },
    answersMe: false,
    now: NOW,
    ...more,
  };
}

describe("without a greatest age", () => {
  const admit = admitByChallenge(undefined, undefined);

  it.each([
    ["now", candidate()],
    ["in a day, by its own clock", candidate({ sentAt: NOW + 86_400 * SECOND })],
    ["long ago", candidate({ sentAt: 1, epoch: 1 })],
    ["in an epoch of next year", candidate({ epoch: NOW + 365 * 86_400 * SECOND })],
  ])("what says that it was signed %s proves nothing", (_, asking) => {
    expect(admit(asking)).toEqual({ signedAfter: -Infinity, freshNameCounts: true, unproven: "not-live" });
  });

  it("what answers my request is live", () => {
    expect(admit(candidate({ sentAt: 1 }, { answersMe: true }))).toBe(LIVE);
  });
});

describe("with a greatest age", () => {
  it("goes by the message's own time where nothing else is known", () => {
    const admit = admitByChallenge(10 * SECOND, undefined);
    expect(admit(candidate({ sentAt: NOW - 10 * SECOND }))).toMatchObject({ unproven: "not-live" });
    expect(admit(candidate({ sentAt: NOW - 10 * SECOND - 1 }))).toBe("too-old");
    expect(admit(candidate({ sentAt: NOW - 10 * SECOND - 1 }, { answersMe: true }))).toBe("too-old");
  });

  it("goes by what the sender answered where that is known, whatever the message says", () => {
    let age = 10 * SECOND;
    const admit = admitByChallenge(10 * SECOND, () => age);
    expect(admit(candidate({ sentAt: 1 }))).toMatchObject({ unproven: "not-live" });
    age += 1;
    expect(admit(candidate())).toBe("too-old");
    age = Infinity;
    expect(admit(candidate())).toBe("too-old");
  });
});
