// Who one is: a name given by the application, or one made at this start. What is addressed to a name that nobody
// had before cannot be an old recording.

import { assertSender, keyHolder, randomName } from "../keys/names.js";

/** The name a party signs with and is addressed by. Give the same one to a Signer and a Verifier that belong together. */
export interface Identity {
  /** 1 to 64 visible ASCII characters; behind a `~`, the instance. */
  readonly name: string;
  /** The name without its instance: whose key it is. */
  readonly holder: string;
  /** Whether the name was made at random for this start. */
  readonly fresh: boolean;
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
  return { name: sender, holder: keyHolder(sender), fresh: false };
}

/**
 * Whether nobody can have heard what is addressed to this name: true once, for the first verifier that uses a name
 * made here. A later one of the same name does not know what the first has heard.
 */
export function takeFreshness(taken: Identity): boolean {
  return unused.delete(taken);
}
