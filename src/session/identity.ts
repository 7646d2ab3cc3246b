// Who one is: a name given by the application, or one made at this start. What is addressed to a name that nobody
// had before cannot be an old recording.

import cluster from "node:cluster";
import { isMainThread, threadId } from "node:worker_threads";
import { misuse } from "../errors.js";
import { assertSender, keyHolder, randomName } from "../keys/names.js";
import { WIRE } from "../wire/limits.js";

/** The name a party signs with and is addressed by. Give the same one to a Signer and a Verifier that belong together. */
export interface Identity {
  /** 1 to 64 visible ASCII characters; behind a `~`, the instance. */
  readonly name: string;
  /** The name without its instance: whose key it is. */
  readonly holder: string;
  /** Whether the name was made at random for this start. */
  readonly fresh: boolean;
  /** The name as it was given, where an instance was added to it: others may still address it so. */
  readonly alias?: string;
}

/** Names that were made here and that no verifier has used yet. */
const unused = new WeakSet<Identity>();

/** The identity of this name, or a fresh random one. */
export function identity(sender?: string | Identity): Identity {
  if (typeof sender === "object" && sender !== null) {
    assertSender(sender.name, "sender");
    return sender;
  }
  if (sender === undefined) {
    const name = randomName();
    const made: Identity = { name, holder: name, fresh: true };
    unused.add(made);
    return made;
  }
  assertSender(sender, "sender");
  const holder = keyHolder(sender);
  const instance = holder === sender ? ownInstance() : undefined;
  if (instance === undefined) return { name: sender, holder, fresh: false };
  const name = `${sender}~${instance}`;
  if (name.length > WIRE.senderBytes) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `In a worker, "~${instance}" is added to the sender's name, which must then have at most ` +
        `${WIRE.senderBytes - instance.length - 1} characters; got ${sender.length}.`,
    );
  }
  return { name, holder, fresh: false, alias: sender };
}

/**
 * What tells this worker from its siblings, which run the same code with the same name: the number of a cluster's worker,
 * or of a thread. Each has a stream of its own then. Processes that are merely forked look like any other.
 */
function ownInstance(): string | undefined {
  const worker = cluster.isWorker ? `w${cluster.worker?.id}` : "";
  const thread = isMainThread ? "" : `t${threadId}`;
  return worker + thread || undefined;
}

/**
 * Whether nobody can have heard what is addressed to this name: true once, for the first verifier that uses a name
 * made here. A later one of the same name does not know what the first has heard.
 */
export function takeFreshness(taken: Identity): boolean {
  return unused.delete(taken);
}
