// The vector files by name: what is in each, as text.

import { memories } from "./challenge.js";
import * as control from "./control.js";
import { derivations } from "./derivations.js";
import type { DerivationFile, MemoryFile, Vector, VectorFile } from "./format.js";
import * as keys from "./keys.js";
import * as layouts from "./layouts.js";
import * as malformed from "./malformed.js";
import * as memory from "./memory.js";
import * as order from "./order.js";
import * as pairs from "./pairs.js";
import * as recipients from "./recipients.js";
import * as tampered from "./tampered.js";

const ABOUT_MEMORIES = "Memories under admission by challenge, step by step, section 8.6.";
const ABOUT_DERIVATIONS = "Key derivation, docs/wire.md section 2.2. Secrets and keys in hexadecimal.";

/** What each file of messages is about, and its vectors, in the order in which they are made. */
const GROUPS: readonly (readonly [string, string, () => Vector[]])[] = [
  ["pairs.json", "Every pair of socket types that may speak, section 5.", pairs.allowedPairs],
  ["forbidden-pairs.json", "Every pair of socket types that may not, section 5.", pairs.forbiddenPairs],
  ["bodies.json", "Frames inline and detached, section 6.", layouts.bodies],
  ["topics.json", "Topics before the signature, sections 4 and 7.", layouts.topics],
  ["envelopes.json", "Ids, hops and delimiters, section 4.", layouts.envelopes],
  ["names.json", "Names of senders and channels, section 2.1.", layouts.names],
  ["numbers.json", "Numbers at the ends of their ranges, section 3.", layouts.numbers],
  ["batches.json", "Batches, section 6.4.", layouts.batches],
  [
    "recipients.json",
    "Recipients, requests, channels and one's own messages, sections 5 and 7.",
    () => [
      ...recipients.recipients(),
      ...recipients.requests(),
      ...recipients.places(),
      ...recipients.freshNames(),
    ],
  ],
  [
    "keys.json",
    "Who holds which key and until when, sections 2.3 and 2.4.",
    () => [
      ...keys.holders(),
      ...keys.subscribersForgeries(),
      ...keys.terms(),
      ...keys.rings(),
      ...keys.claims(),
    ],
  ],
  [
    "tampered.json",
    "Genuine messages that were changed on the way, section 7.",
    () => [...tampered.bits(), ...tampered.frames(), ...tampered.envelopes(), ...tampered.batches()],
  ],
  [
    "malformed.json",
    "Messages that no sender should make, most of them under a genuine tag, sections 3, 6, 9 and 11.",
    () => [
      ...malformed.unsigned(),
      ...malformed.lengths(),
      ...malformed.headers(),
      ...malformed.kinds(),
      ...malformed.flags(),
      ...malformed.payloads(),
      ...malformed.limits(),
      ...malformed.batches(),
      ...malformed.precedence(),
    ],
  ],
  [
    "order.json",
    "Several messages at one receiver: new, live, lost; sections 8 and 10.",
    () => [...order.newness(), ...order.epochs(), ...order.liveness(), ...order.streams(), ...order.gaps()],
  ],
  [
    "memory.json",
    "What is forgotten by eviction and by revocation, section 8.4.",
    () => [...memory.evictions(), ...memory.revocations()],
  ],
  [
    "control.json",
    "Control messages, well formed and not, section 9.",
    () => [
      ...control.greetings(),
      ...control.syncs(),
      ...control.forms(),
      ...control.malformed(),
      ...control.misplaced(),
      ...control.apart(),
    ],
  ],
];

/** Name and text of every file. Once a process: the numbers of its senders go on where they were. */
export function vectorFiles(): [name: string, text: string][] {
  const derived: DerivationFile = { about: ABOUT_DERIVATIONS, derivations: derivations() };
  const groups = GROUPS.map(([name, about, make]): [string, string] => {
    const file: VectorFile = { about, vectors: make() };
    return [name, toText(file)];
  });
  const challenged: MemoryFile = { about: ABOUT_MEMORIES, memories: memories() };
  return [["derivations.json", toText(derived)], ...groups, ["challenge.json", toText(challenged)]];
}

function toText(file: VectorFile | DerivationFile | MemoryFile): string {
  return `${JSON.stringify(file, null, 1)}\n`;
}
