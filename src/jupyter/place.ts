// Where a message belongs: which end says what on which channel, and by which socket type (Jupyter messaging,
// "Introduction").

import type { Pattern } from "../wire/patterns.js";
import type { Channel, Role } from "./message.js";

/** The channels that carry messages. */
export const CHANNELS: readonly Channel[] = ["shell", "control", "stdin", "iopub"];

/** The socket type of an end on a channel; of iopub's as far as the kernel sends and the client receives. */
export function patternOf(role: Role, channel: Channel | undefined): Pattern {
  if (channel === "iopub") return role === "kernel" ? "pub" : "sub";
  return role === "kernel" ? "router" : "dealer";
}

/** What a stream's channel is called where streams are remembered: apart from channels of sockets that are no Jupyter's. */
export function streamChannel(channel: Channel): string {
  return `jupyter/${channel}`;
}

/**
 * May a plain message of this type come to `role` on this channel at all? Its signature does not cover the way that it
 * goes, but its type says something of it: requests go to kernels and replies come from them, but on stdin, where it is
 * the other way round; iopub carries neither, but for a kernel's last word, which it says to all as well.
 */
export function isPlausible(type: string, role: Role, channel: Channel): boolean {
  const isInput = type === "input_request" || type === "input_reply";
  if (isInput !== (channel === "stdin")) return false;
  if (channel === "iopub") return type === "shutdown_reply" || !/_(request|reply)$/.test(type);
  const fromKernel = isInput ? "_request" : "_reply";
  const fromClient = isInput ? "_reply" : "_request";
  return !type.endsWith(role === "kernel" ? fromKernel : fromClient);
}
