// What a client's calls reject with.

import { CountersignError } from "../../errors.js";
import type { Dict } from "../message.js";
import { errorOf } from "./outputs.js";

/** The kernel has gone: its process ended, or its heart stopped. Whether what was under way was executed is unknown. */
export class KernelDiedError extends CountersignError {
  override readonly name = "KernelDiedError";

  constructor(how: string) {
    super(
      "ERR_COUNTERSIGN_KERNEL_DIED",
      `The kernel has died: ${how} Whether what was under way was executed is unknown.`,
    );
  }
}

/** A kernel answered a request with an error. For executions that is no rejection: see the reply's status. */
export class RequestFailedError extends CountersignError {
  override readonly name = "RequestFailedError";
  /** What kind of error. */
  readonly ename: string;
  /** What it says. */
  readonly evalue: string;

  constructor(type: string, content: Dict) {
    const { ename, evalue } = errorOf(content);
    super("ERR_COUNTERSIGN_REQUEST_FAILED", `The kernel answered ${type} with an error: ${ename}: ${evalue}`);
    this.ename = ename;
    this.evalue = evalue;
  }
}

/** No answer in time. */
export function tooLate(what: string, milliseconds: number): CountersignError {
  return new CountersignError(
    "ERR_COUNTERSIGN_TIMEOUT",
    `${what} was not answered within ${milliseconds} ms.`,
  );
}

/** The client was closed. */
export function closed(): CountersignError {
  return new CountersignError("ERR_COUNTERSIGN_CLOSED", "The client was closed.");
}
