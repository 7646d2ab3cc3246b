// Question 3, is it live, by the clock (docs/wire.md, section 8.2): every bound at its edge.

import { describe, expect, test } from "vitest";
import type { Admission, Candidate } from "../../src/admission/admission.js";
import { admitByClock } from "../../src/admission/clock.js";
import type { Reason } from "../../src/reasons.js";
import type { Header } from "../../src/wire/header.js";
import { EPOCH_AHEAD } from "../../src/wire/limits.js";

const SINCE = 1_000_000;
const NOW = 2_000_000;

interface Case extends Partial<Candidate> {
  readonly known?: boolean;
}

/** What a memory that began at SINCE and forgot a stream makes of the evidence. */
function ruled(admission: Admission): (given: { header: Header; rest: Case }) => Reason | undefined {
  return ({ header, rest: { known = false, answersMe = false } }) => {
    const evidence = admission({ header, answersMe, now: NOW });
    if (typeof evidence === "string") return evidence;
    return known || evidence.signedAfter > SINCE ? undefined : evidence.unproven;
  };
}

const candidate = (header: Partial<Header>, rest: Case = {}) => ({
  header: { epoch: SINCE, sentAt: SINCE + 1, ...header } as Header,
  rest,
});
const strict = ruled(admitByClock({ skew: 0, maxAge: undefined }));

describe("the first message of a stream", () => {
  test("is live when it was signed after the memory began, not at that moment or before", () => {
    expect(strict(candidate({ sentAt: SINCE + 1 }))).toBeUndefined();
    expect(strict(candidate({ sentAt: SINCE }))).toBe("not-live");
    expect(strict(candidate({ sentAt: SINCE - 1 }))).toBe("not-live");
  });

  test("must be that much later as clocks may differ", () => {
    const skewed = ruled(admitByClock({ skew: 500, maxAge: undefined }));
    expect(skewed(candidate({ sentAt: SINCE + 501 }))).toBeUndefined();
    expect(skewed(candidate({ sentAt: SINCE + 500 }))).toBe("not-live");
  });

  test("needs no clock when it answers this receiver", () => {
    expect(strict(candidate({ sentAt: 0 }, { answersMe: true }))).toBeUndefined();
  });

  test("is judged by when it was signed, not by its epoch", () => {
    expect(strict(candidate({ epoch: 5, sentAt: SINCE + 1 }))).toBeUndefined();
    expect(strict(candidate({ epoch: SINCE + 9, sentAt: SINCE }))).toBe("not-live");
  });
});

test("an epoch may lie 24 hours ahead and no more, whatever else speaks for it", () => {
  const edge = NOW + EPOCH_AHEAD;
  expect(strict(candidate({ epoch: edge }))).toBeUndefined();
  expect(strict(candidate({ epoch: edge + 1 }))).toBe("future-epoch");
  expect(strict(candidate({ epoch: edge + 1 }, { answersMe: true }))).toBe("future-epoch");
});

test("a stream and epoch that are known need no evidence", () => {
  expect(strict(candidate({ sentAt: 0 }, { known: true }))).toBeUndefined();
  expect(strict(candidate({ epoch: NOW + 2 * EPOCH_AHEAD }, { known: true }))).toBeUndefined();
});

describe("the greatest age", () => {
  const aged = ruled(admitByClock({ skew: 0, maxAge: 300 }));

  test("bounds every message, known or not, and whomever it answers", () => {
    for (const rest of [{}, { known: true }, { answersMe: true }, { known: true, answersMe: true }]) {
      expect(aged(candidate({ sentAt: NOW - 300 }, rest))).toBeUndefined();
      expect(aged(candidate({ sentAt: NOW - 301 }, rest))).toBe("too-old");
    }
  });

  test("is told before anything else", () => {
    expect(aged(candidate({ sentAt: SINCE, epoch: NOW + 2 * EPOCH_AHEAD }))).toBe("too-old");
  });

  test("does not bind a clock that is ahead", () => {
    expect(aged(candidate({ sentAt: NOW + 1e12 }))).toBeUndefined();
  });

  test("may be zero", () => {
    const zero = ruled(admitByClock({ skew: 0, maxAge: 0 }));
    expect(zero(candidate({ sentAt: NOW }))).toBeUndefined();
    expect(zero(candidate({ sentAt: NOW - 1 }))).toBe("too-old");
  });
});
