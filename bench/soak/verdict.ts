// Whether a run was as it must be: what the receiver says, figure by figure, against the broker's books.

import type { Reason } from "countersign/core";
import { growthOf, type MemorySample } from "./memory.js";
import type { Outcome } from "./run.js";

export interface Check {
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly ok: boolean;
}

/** Bytes by which a process may grow for each message: less than any leak would take. */
const FLAT = { heap: 4, rss: 32 };
/** In fewer messages than this a leak does not stand out from a process that is still warming up. */
const JUDGED_FROM = 1_000_000;

export function verdictOn(outcome: Outcome): Check[] {
  return [...deliveries(outcome), ...refusals(outcome), ...sums(outcome), ...memory(outcome)];
}

function deliveries({ options, books, report }: Outcome): Check[] {
  return [
    equal("sent", options.messages, books.received),
    equal("delivered", books.delivered, report.delivered),
    equal("delivered, but not sent, not once or not in place", 0, report.faults),
    equal("which ones were delivered", "as booked", report.bits.equals(books.bits) ? "as booked" : "others"),
    equal("of them marked as late", books.late, report.late),
  ];
}

function refusals({ books, report }: Outcome): Check[] {
  const booked = (reason: Reason) => books.refusals[reason] ?? 0;
  const reasons = (Object.keys(report.rejected) as Reason[]).filter(
    (reason) => report.rejected[reason] > 0 || booked(reason) > 0,
  );
  const toldTheSame = reasons.every((reason) => report.rejections[reason] === booked(reason));
  return [
    ...reasons.map((reason) => equal(`refused: ${reason}`, booked(reason), report.rejected[reason])),
    equal("onReject was told of", "the same", toldTheSame ? "the same" : "others"),
  ];
}

function sums({ options, books, report }: Outcome): Check[] {
  const refused = Object.values(report.rejected).reduce((sum, count) => sum + count, 0);
  return [
    equal("delivered + refused = passed on", books.passedOn, report.delivered + refused),
    equal("stats.accepted", books.delivered, report.accepted),
    equal("stats.lost = sent − delivered", options.messages - books.delivered, report.lost),
  ];
}

function memory({ options, report, senderMemory }: Outcome): Check[] {
  if (options.messages < JUDGED_FROM || senderMemory.length === 0) return [];
  return [
    ...flat("sender", options.messages, senderMemory),
    ...flat("receiver", options.messages, report.memory),
  ];
}

function flat(who: string, messages: number, samples: readonly MemorySample[]): Check[] {
  const growth = growthOf(samples);
  return (["heap", "rss"] as const).map((of) => ({
    name: `${who}'s ${of === "heap" ? "heap" : "resident set"} grew by`,
    expected: `≤ ${megabytes(FLAT[of] * messages)}`,
    actual: megabytes(growth[of]),
    ok: growth[of] <= FLAT[of] * messages,
  }));
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

function equal(name: string, expected: number | string, actual: number | string): Check {
  return { name, expected: text(expected), actual: text(actual), ok: expected === actual };
}

const text = (value: number | string) => (typeof value === "number" ? value.toLocaleString("en-US") : value);
