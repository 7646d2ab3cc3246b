// A captured message taken apart: signature frame, routing, body, and what is malformed about them.

import type { ControlBody } from "../wire/control.js";
import { isControl } from "../wire/form.js";
import { FLAGS, type Header } from "../wire/header.js";
import { publishes } from "../wire/patterns.js";
import { readBatch, readPayload } from "../wire/payload.js";
import { type Arrangement, arrange, type Place } from "./arrange.js";
import { bodyFault } from "./body.js";
import { controlFault, controlOf, hasControlBody } from "./control.js";
import { contradictions, type Dissection, dissect, type Fault } from "./dissect.js";

/** A frame in front of the signature. */
export interface RoutingFrame {
  readonly role: "id" | "delimiter" | "topic" | "frame";
  readonly bytes: Buffer;
}

/** The body of one message; a batch has several. */
export interface Body {
  readonly sequence: number;
  readonly frames: readonly Buffer[];
}

/** The signature frame and what belongs to it. */
export interface Signed {
  /** Index of the signature frame among the captured ones. */
  readonly at: number;
  readonly bytes: number;
  readonly dissection: Dissection;
  readonly faults: readonly Fault[];
  readonly layout: "inline" | "detached" | undefined;
  readonly routing: readonly RoutingFrame[];
  /** Empty where a fault hides them, and for a control message. */
  readonly bodies: readonly Body[];
  /** What a control message says, where no fault hides it. */
  readonly control: ControlBody | undefined;
  /** Set where the header reads well. */
  readonly receiver: Arrangement | undefined;
}

/** Takes apart captured frames, whose signature frame stands at `at`. */
export function takeApart(captured: readonly Buffer[], at: number, frame: Buffer, place: Place): Signed {
  const dissection = dissect(frame);
  const { header, behind, tag, faults } = dissection;
  const nothing = {
    at,
    bytes: frame.length,
    dissection,
    faults,
    layout: undefined,
    bodies: [],
    control: undefined,
    receiver: undefined,
  };
  if (typeof header === "string") {
    return { ...nothing, routing: captured.slice(0, at).map((bytes) => ({ role: "frame", bytes })) };
  }
  const receiver = arrange(captured, at, header, place);
  const readable = { ...nothing, receiver, routing: routingOf(captured.slice(0, at), header) };
  if (tag === undefined) return { ...readable, faults: [...faults, ...contradictions(header)] };
  const inline = (header.flags & FLAGS.inline) !== 0;
  const following = captured.slice(at + 1);
  const layoutFault = inline
    ? inlineFault(header, frame, behind, following, receiver)
    : detachedFault(header, frame, behind, captured, receiver);
  return {
    ...readable,
    faults: [...faults, ...contradictions(header), ...(layoutFault ? [layoutFault] : [])],
    layout: inline ? "inline" : "detached",
    bodies: layoutFault === undefined ? bodiesOf(header, behind, following) : [],
    control: layoutFault === undefined ? controlOf(header, behind) : undefined,
  };
}

/** Only a message with a topic or with a delimiter that its receiver sees may have no body. */
function fewestFrames({ flags }: Header, { pattern }: Arrangement): number {
  if ((flags & FLAGS.topic) !== 0) return 0;
  return (flags & FLAGS.delimited) !== 0 && pattern !== "rep" && pattern !== "req" ? 0 : 1;
}

function inlineFault(
  header: Header,
  frame: Buffer,
  behind: Buffer,
  frames: readonly Buffer[],
  receiver: Arrangement,
): Fault | undefined {
  const at = frame.length - behind.length;
  const fault = isControl(header)
    ? hasControlBody(header)
      ? controlFault(behind, at)
      : undefined
    : bodyFault(header, behind, at, fewestFrames(header, receiver));
  if (fault !== undefined || frames.length === 0) return fault;
  const found = `${frames.length} more frame${frames.length === 1 ? "" : "s"}`;
  return { field: "layout", at: frame.length, found, expected: "no frame behind an inline body" };
}

function detachedFault(
  header: Header,
  frame: Buffer,
  behind: Buffer,
  captured: readonly Buffer[],
  receiver: Arrangement,
): Fault | undefined {
  const at = frame.length - behind.length;
  if (behind.length > 0) {
    const found = `${behind.length} more byte${behind.length === 1 ? "" : "s"}`;
    return { field: "layout", at, found, expected: "the end of the frame, for the layout is detached" };
  }
  const isLast = captured.at(-1) === frame;
  if (captured.length === 1 || !isLast || fewestFrames(header, receiver) === 0) return undefined;
  return { field: "layout", at, found: "no frame behind this one", expected: "the frames of the body" };
}

function routingOf(front: readonly Buffer[], { pattern }: Header): RoutingFrame[] {
  return front.map((bytes, index) => {
    if (publishes(pattern)) return { role: front.length === 1 ? "topic" : "frame", bytes };
    return { role: bytes.length === 0 && index === front.length - 1 ? "delimiter" : "id", bytes };
  });
}

function bodiesOf(header: Header, behind: Buffer, frames: readonly Buffer[]): Body[] {
  const { kind, flags, sequence } = header;
  if (isControl(header)) return [];
  if (kind === "batch" && (flags & FLAGS.inline) !== 0) {
    return readBatch(behind, 0, []).map((body, offset) => ({ sequence: sequence + offset, frames: body }));
  }
  if ((flags & FLAGS.inline) === 0) return [{ sequence, frames }];
  const body: Buffer[] = [];
  readPayload(behind, 0, body);
  return [{ sequence, frames: body }];
}
