// Errors for the programmer and for the operator. What arrives from outside never throws: it is refused with a
// reason (reasons.ts), and only a REQ, whose application waits for exactly this reply, is told by an error.

import { REASONS, type Reason } from "./reasons.js";

/** What went wrong, for code: stable across versions, unlike messages. */
export type ErrorCode =
  | "ERR_COUNTERSIGN_OPTIONS"
  | "ERR_COUNTERSIGN_KEY"
  | "ERR_COUNTERSIGN_KEY_FILE"
  | "ERR_COUNTERSIGN_CONNECTION"
  | "ERR_COUNTERSIGN_MESSAGE"
  | "ERR_COUNTERSIGN_RECIPIENT"
  | "ERR_COUNTERSIGN_STREAM_IN_USE"
  | "ERR_COUNTERSIGN_STATE"
  | "ERR_COUNTERSIGN_NOT_READY"
  | "ERR_COUNTERSIGN_NOT_SUPPORTED"
  | "ERR_COUNTERSIGN_KERNELSPEC"
  | "ERR_COUNTERSIGN_KERNEL_DIED"
  | "ERR_COUNTERSIGN_REQUEST_FAILED"
  | "ERR_COUNTERSIGN_TIMEOUT"
  | "ERR_COUNTERSIGN_CLOSED"
  | "ERR_COUNTERSIGN_BAD_REPLY";

/** Base of every error that Countersign makes. `code` is one of {@link ErrorCode}. */
export class CountersignError extends Error {
  override readonly name: string = "CountersignError";
  /** What went wrong, for code. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A waiting REQ received something else than the genuine reply to its request. The socket can send again.
 * Whether the request was executed is unknown: the reply may have been lost or changed on its way back.
 */
export class BadReplyError extends CountersignError {
  override readonly name = "BadReplyError";
  /** Why the reply was refused. */
  readonly reason: Reason;

  constructor(reason: Reason, options?: ErrorOptions) {
    super(
      "ERR_COUNTERSIGN_BAD_REPLY",
      `The reply was refused (${reason}): ${REASONS[reason]} Whether the request was executed is unknown; ` +
        "the socket can send again.",
      options,
    );
    this.reason = reason;
  }
}

/** An error of the caller's making: wrong option, wrong key, wrong message. */
export function misuse(code: ErrorCode, message: string, options?: ErrorOptions): CountersignError {
  return new CountersignError(code, message, options);
}
