// The body of an inline frame: where its counts and lengths do not add up (docs/wire.md, section 6). The verifier
// says that they do not; this says at which byte.

import type { Header } from "../wire/header.js";
import { DEFAULT_LIMITS, WIRE } from "../wire/limits.js";
import { END, type Fault } from "./dissect.js";

const U32 = 4;

/** A place in the body where counts and lengths do not add up; `offset` counts from behind the tag. */
interface Misfit {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
}

/**
 * What is wrong with the body behind the tag of an inline frame: the first place where its counts and lengths do not
 * add up. Each message must have at least `fewest` frames.
 */
export function bodyFault(
  { kind, sequence }: Header,
  behind: Buffer,
  at: number,
  fewest: number,
): Fault | undefined {
  const misfit = kind === "batch" ? batchMisfit(behind, sequence, fewest) : payloadMisfit(behind, 0, fewest);
  if (typeof misfit !== "number") return faultOf(misfit, at);
  const surplus = behind.length - misfit;
  if (surplus === 0) return undefined;
  return faultOf(
    { offset: misfit, found: `${surplus} more byte${surplus === 1 ? "" : "s"}`, expected: END },
    at,
  );
}

function faultOf({ offset, found, expected }: Misfit, at: number): Fault {
  return { field: "body", at: at + offset, found, expected };
}

/** Where the messages of a batch end, or what does not fit. */
function batchMisfit(behind: Buffer, sequence: number, fewest: number): number | Misfit {
  if (behind.length < U32)
    return { offset: behind.length, found: END, expected: "the number of messages, 4 bytes" };
  const count = behind.readUInt32BE(0);
  if (count < 1 || count > WIRE.batch)
    return { offset: 0, found: `${count} messages`, expected: `1 to ${WIRE.batch} of them` };
  if (sequence > WIRE.maxNumber - (count - 1)) {
    return {
      offset: 0,
      found: `${count} messages from sequence ${sequence} on`,
      expected: "none above 2^53-1",
    };
  }
  let end = U32;
  for (let i = 0; i < count; i++) {
    const next = payloadMisfit(behind, end, fewest);
    if (typeof next !== "number") return next;
    end = next;
  }
  return end;
}

/** Where the payload at `at` ends, or what does not fit. */
function payloadMisfit(behind: Buffer, at: number, fewest: number): number | Misfit {
  const most = DEFAULT_LIMITS.frames;
  if (at + U32 > behind.length)
    return { offset: behind.length, found: END, expected: "the number of frames, 4 bytes" };
  const count = behind.readUInt32BE(at);
  if (count < fewest || count > most)
    return { offset: at, found: `${count} frames`, expected: `${fewest} to ${most} of them` };
  let end = at + U32 + U32 * count;
  if (end > behind.length)
    return { offset: behind.length, found: END, expected: `the lengths of ${count} frames, 4 bytes each` };
  for (let i = 1; i <= count; i++) {
    const length = behind.readUInt32BE(at + U32 * i);
    const rest = behind.length - end;
    if (length > rest) {
      return {
        offset: at + U32 * i,
        found: `${length} bytes in frame ${i}`,
        expected: `${rest} at most, as many as are left`,
      };
    }
    end += length;
  }
  return end;
}
