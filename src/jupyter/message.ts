// Messages as applications see them (Jupyter messaging, "General Message Format"), under the names that Jupyter gives the
// parts.

import type { Micros } from "../clock.js";
import type { Origin } from "../session/origin.js";

/** What channels there are. Heartbeats are raw echoes and no messages. */
export type Channel = "shell" | "control" | "stdin" | "iopub";
/** The two ends: a kernel binds, a client connects. */
export type Role = "kernel" | "client";

/** A message's header, up to protocol 5.5. Fields that are not listed are carried through. */
export interface Header {
  /** Unique to the message. */
  readonly msg_id: string;
  /** What the message is: "execute_request", "status", … */
  readonly msg_type: string;
  /** Who the user is. */
  readonly username?: string | undefined;
  /** The session that made it: of a client or of a kernel, new at every start. */
  readonly session?: string | undefined;
  /** When it was made: ISO 8601. */
  readonly date?: string | undefined;
  /** The version of the messaging protocol. */
  readonly version?: string | undefined;
  /** The subshell that it is for (protocol 5.5); `null` and left out both mean the parent. */
  readonly subshell_id?: string | null | undefined;
  /** Whatever else its sender put there. */
  readonly [field: string]: unknown;
}

/** Names to values. */
export type Dict = Readonly<Record<string, unknown>>;

/** A message to be sent. */
export interface Message {
  /** Its header. */
  readonly header: Header;
  /** The header of the message that it answers or belongs to; `{}` for none. */
  readonly parent_header: Header | Dict;
  /** Anything beside the content. What stands under {@link HARDENED_KEY} is replaced. */
  readonly metadata: Dict;
  /** What it says; bytes are taken for a dict that was packed before, as in a relayed message. */
  readonly content: Dict | Uint8Array;
  /** Binary data behind the content. */
  readonly buffers: readonly Uint8Array[];
}

/** Where a hardened message comes from: as a socket of Countersign's own would say it. */
export type HardenedOrigin = Pick<Origin, keyof Origin>;

/** A message that was received: verified, and new. */
export interface ReceivedMessage extends Message {
  /** The content, unpacked. */
  readonly content: Dict;
  /** Binary data behind the content: views into what was received. */
  readonly buffers: readonly Buffer[];
  /** What stood in front of the delimiter: return addresses or a topic. Not signed but for a hardened message's topic. */
  readonly identities: readonly Buffer[];
  /** Who sent it, verified in full; `undefined` for a plain Jupyter message. */
  readonly origin: HardenedOrigin | undefined;
  /** Whether there are buffers that nobody signed: anybody on the way can have put or changed them. */
  readonly unsignedBuffers: boolean;
  /** The signed date, in microseconds since the Unix epoch; `undefined` where there is none (only under `unsigned`). */
  readonly sentAt: Micros | undefined;
}
