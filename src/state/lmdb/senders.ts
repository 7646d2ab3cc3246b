// Senders' epochs on disk: each above every one that was given before, in one transaction among all processes. Two live
// processes of one name would refuse each other's messages at every receiver: the second is told of the first.

import { misuse } from "../../errors.js";
import { EPOCHS_AHEAD, type SenderStream } from "../../replay/state.js";
import type { Medium } from "./medium.js";
import { isAlive, type Owner } from "./owner.js";
import type { Database } from "./package.js";
import { readRecord, type StoredSender, senderKey, writeRecord } from "./records.js";

/** A version nobody asks for: epochs are written in transactions alone. */
const VERSION = 1;

/** The epochs that one state has given. */
export class Senders {
  readonly #medium: Medium;
  readonly #owner: Owner;
  /** By key, with what was given: a medium that was emptied meanwhile must not lower it. */
  readonly #given = new Map<string, StoredSender>();
  readonly #toldOf = new Set<string>();

  constructor(medium: Medium, owner: Owner) {
    this.#medium = medium;
    this.#owner = owner;
    medium.onReopened(() => this.#writeAgain());
  }

  /** @throws CountersignError where it cannot be stored */
  next({ sender, channel, pattern }: SenderStream, atLeast: number): number {
    const name = [sender, channel, pattern] as const;
    const key = senderKey(name);
    const id = key.toString("hex");
    const { epoch, before } = this.#medium.transact((database) => {
      const before = storedAt(database, key);
      const known = Math.max(this.#given.get(id)?.epoch ?? 0, before?.epoch ?? 0);
      const epoch = Math.max(atLeast, known + 1);
      this.#assertLeft(sender, epoch);
      put(database, key, { name, epoch: epoch + EPOCHS_AHEAD, owner: this.#owner });
      return { epoch, before };
    });
    this.#tellOfTwin(name, before?.owner);
    this.#given.set(id, { name, epoch: epoch + EPOCHS_AHEAD, owner: this.#owner });
    return epoch;
  }

  /** Ends cleanly: whoever takes a name of these next has no twin. */
  end(): void {
    this.#writeEach((database, given) => {
      const key = senderKey(given.name);
      if (storedAt(database, key)?.owner?.instance !== this.#owner.instance) return;
      put(database, key, { ...given, owner: null });
    });
  }

  /** Whatever the medium holds, it may be of another time: no epoch may go back for that. */
  #writeAgain(): void {
    this.#writeEach((database, given) => {
      const key = senderKey(given.name);
      if ((storedAt(database, key)?.epoch ?? 0) < given.epoch) put(database, key, given);
    });
  }

  #writeEach(write: (database: Database, given: StoredSender) => void): void {
    if (this.#given.size === 0) return;
    try {
      this.#medium.transact((database) => {
        for (const given of this.#given.values()) write(database, given);
      });
    } catch {
      // The medium has told what failed, and is opened again before anything else. At the end, a twin may be suspected
      // where there is none.
    }
  }

  #assertLeft(sender: string, epoch: number): void {
    if (Number.isSafeInteger(epoch + EPOCHS_AHEAD)) return;
    throw misuse(
      "ERR_COUNTERSIGN_STATE",
      `Sender "${sender}" has no epoch left: the state in ${this.#medium.path}, or its clock, is at ${epoch - 1} of ` +
        `${Number.MAX_SAFE_INTEGER}. Some start had a wild clock, or the folder was tampered with. See that the clock is ` +
        "right, and give the sender a name that it has not had.",
    );
  }

  #tellOfTwin([sender, channel, pattern]: StoredSender["name"], other: Owner | null | undefined): void {
    if (!other || other.instance === this.#owner.instance || !isAlive(other)) return;
    const twin = JSON.stringify([sender, channel, pattern, other.instance]);
    if (this.#toldOf.has(twin)) return;
    this.#toldOf.add(twin);
    process.emitWarning(
      `Process ${other.pid} is running and signs as "${sender}" (channel "${channel}", ${pattern}) with the state in ` +
        `${this.#medium.path}. This one, ${process.pid}, started later and is heard from now on; the other's messages are ` +
        `refused as "stale-epoch". Give each a name of its own, such as "${sender}~2".`,
      { type: "CountersignWarning", code: "COUNTERSIGN_TWIN" },
    );
  }
}

function storedAt(database: Database, key: Buffer): StoredSender | undefined {
  const stored = database.getBinary(key);
  return stored === undefined ? undefined : readRecord<StoredSender>(stored);
}

function put(database: Database, key: Buffer, sender: StoredSender): void {
  void database.put(key, writeRecord(key, sender), VERSION);
}
