// Errors in zeromq.js's own form, for what zeromq.js itself would have answered.

import { constants } from "node:os";

/** An error as zeromq.js makes them. */
export interface ZmqError extends Error {
  readonly code: string;
  readonly errno: number;
}

/** A `mandatory` ROUTER has nobody behind this id, as far as it knows. */
export function unreachable(cause: Error): ZmqError {
  return zmqError("EHOSTUNREACH", constants.errno.EHOSTUNREACH, "Host unreachable", { cause });
}

/** The operation timed out, or the socket was closed meanwhile. */
export function timedOut(): ZmqError {
  return zmqError("EAGAIN", constants.errno.EAGAIN, "Operation was not possible or timed out");
}

/** This socket type does not do that. */
export function notSupported(): ZmqError {
  return zmqError("ENOTSUP", constants.errno.ENOTSUP, "Operation not supported");
}

/** A second receive while one is pending. */
export function busyReading(): ZmqError {
  const message = "Socket is busy reading; only one receive operation may be in progress at any time";
  return zmqError("EBUSY", constants.errno.EBUSY, message);
}

/** The error code of anything thrown, where it has one. */
export function codeOf(error: unknown): string | undefined {
  return (error as Partial<ZmqError> | undefined)?.code;
}

function zmqError(code: string, errno: number, message: string, options?: ErrorOptions): ZmqError {
  return Object.assign(new Error(message, options), { code, errno });
}
