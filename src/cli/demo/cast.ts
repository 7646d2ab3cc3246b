// Who takes part in the demonstration, and the channels between them.

/** The two clients. */
export const CLIENTS = ["alice", "bob"] as const;
/** A client by name. */
export type ClientName = (typeof CLIENTS)[number];
/** Who receives. */
export type Receiver = ClientName | "kernel";
/** A signed channel. */
export type Channel = "shell" | "iopub";
