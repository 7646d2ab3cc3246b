// The sessions of one socket, and their keys: which are accepted, and with which one signs to whom. A renewed session has two
// generations for a while; a newer login takes the place of an older one as soon as it is used, and not before.

import { misuse } from "../errors.js";
import type { Key } from "../keys/key.js";
import type { KeyBook } from "../keys/keyring.js";
import type { Reason } from "../reasons.js";
import type { Session } from "./session.js";

/** Why a session that stood does no longer. */
export type Loss =
  /** A newer one of the same client has taken its place. */
  | "replaced"
  /** Its user was revoked. */
  | "revoked"
  /** There were too many, and this one was heard least recently. */
  | "evicted"
  /** The other end does not know it any more: it has restarted, or has revoked it. */
  | "forgotten";

/** One session, over its generations. */
export interface Standing {
  /** The newest generation. */
  session: Session;
  /** The generation before it, still accepted. */
  before: Session | undefined;
  /** What this end signs with: the newest that the other end is known to have. */
  sending: Session;
  /** Whether the other end has used it: only then does it take another's place. */
  confirmed: boolean;
  /** When it was heard last; milliseconds. Of the one that was heard last of all, when that began. */
  heardAt: number;
}

/** What a book tells. */
export interface BookListeners {
  /** A session has gone. */
  readonly lost: (session: Session, why: Loss) => void;
  /** The other end has used a session for the first time. */
  readonly confirmed: (standing: Standing) => void;
}

/** Ids of revoked sessions that are remembered, so that the reason can be told. */
const MOST_REVOKED = 1024;
/** Names in the error that says that there is no session with another. */
const MOST_NAMED = 3;

/** The sessions of one socket. */
export class SessionBook implements KeyBook {
  /** No message waits for its keys to be followed: who is taken out is taken out at once. */
  readonly keys: readonly Key[] = [];
  /** Never changes: as above. */
  readonly revision = 0;
  /** Each key belongs to one other end. */
  readonly pairwise = true;
  readonly #limit: number;
  readonly #listeners: BookListeners;
  readonly #now: () => number;
  readonly #byLineage = new Map<string, Standing>();
  readonly #byPeer = new Map<string, Standing>();
  /** All of one client, those that a newer login will take the place of among them. */
  readonly #ofPeer = new Map<string, Set<Standing>>();
  readonly #byId = new Map<number, Key[]>();
  #confirmed = 0;
  readonly #revoked = new Set<number>();
  /** The key that was used last: nothing changes where it is used again. */
  #latest: Key | undefined;

  /** @param limit  most sessions; @param now  milliseconds of a clock that never steps */
  constructor(limit: number, listeners: BookListeners, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#listeners = listeners;
    this.#now = now;
  }

  /** How many sessions stand. */
  get size(): number {
    return this.#byLineage.size;
  }

  /** Whether the other end of any session has used it. */
  get inUse(): boolean {
    return this.#confirmed > 0;
  }

  /** The sessions that stand, in their newest generation. */
  *[Symbol.iterator](): IterableIterator<Session> {
    for (const { session } of this.#byLineage.values()) yield session;
  }

  /** What stands with this peer: the newest that it has used. */
  with(peer: string): Standing | undefined {
    return this.#byPeer.get(peer);
  }

  /** The session that a key belongs to. */
  of(key: Key): Standing | undefined {
    return key.session && this.#byLineage.get(key.session.stream);
  }

  /** The sessions, old generations included, that are named by these 4 bytes. */
  named(id: Uint8Array): readonly Standing[] {
    const keys = this.#byId.get(Buffer.from(id).readUInt32BE(0)) ?? [];
    return keys.map((key) => this.of(key)).filter((standing) => standing !== undefined);
  }

  /** Takes in a session that was just established. */
  add(session: Session): Standing {
    if (this.#byLineage.size >= this.#limit) this.#evict();
    const standing: Standing = {
      session,
      before: undefined,
      sending: session,
      confirmed: false,
      heardAt: this.#now(),
    };
    this.#byLineage.set(session.lineage, standing);
    this.#accept(session.receiveKey);
    const peers = this.#ofPeer.get(session.peer) ?? new Set();
    this.#ofPeer.set(session.peer, peers.add(standing));
    if (session.end === "client" || peers.size === 1) this.#byPeer.set(session.peer, standing);
    return standing;
  }

  /**
   * Takes in new keys of a session; those before the last are not accepted any more.
   *
   * @param uses  whether this end signs with them at once: the other has them already
   */
  renew(standing: Standing, session: Session, uses: boolean): void {
    const { before, session: last, sending } = standing;
    // Two that were never used in a row: the one in between is given up, not the one that is still spoken with.
    const unused = sending === before;
    const dropped = unused ? last : before;
    if (dropped !== undefined) this.#forget(dropped.receiveKey);
    if (!unused) standing.before = last;
    standing.session = session;
    if (uses) standing.sending = session;
    this.#accept(session.receiveKey);
    this.#latest = undefined;
  }

  /** Takes a session out. */
  remove(standing: Standing, why: Loss): void {
    const { session, before } = standing;
    if (!this.#byLineage.delete(session.lineage)) return;
    if (standing.confirmed) this.#confirmed--;
    this.#leave(standing);
    for (const one of before === undefined ? [session] : [session, before]) {
      this.#forget(one.receiveKey);
      if (why === "revoked") this.#remember(one.receiveKey.id);
    }
    this.#latest = undefined;
    this.#listeners.lost(session, why);
  }

  /** Takes out the sessions of a user; returns how many. */
  revoke(user: string): number {
    const theirs = [...this.#byLineage.values()].filter(({ session }) => session.user === user);
    for (const standing of theirs) this.remove(standing, "revoked");
    return theirs.length;
  }

  /** The keys with this id, or why there is none. */
  find(id: number): readonly Key[] | Reason {
    return this.#byId.get(id) ?? (this.#revoked.has(id) ? "revoked-key" : "unknown-key");
  }

  /** The key for this peer; for nobody in particular, that of the only one. */
  speaking(to: string | null): Key {
    const standing = to === null ? this.#only() : this.#byPeer.get(to);
    if (standing !== undefined) return standing.sending.sendKey;
    if (to === null) throw misuse("ERR_COUNTERSIGN_RECIPIENT", "No session stands: nobody has logged in.");
    const others = this.#names(MOST_NAMED);
    const instead = others.length > 0 ? ` There is one with ${others.join(", ")}.` : "";
    throw misuse("ERR_COUNTERSIGN_RECIPIENT", `No session stands with "${to}".${instead}`);
  }

  /**
   * The key for whoever said this: in the session that it came under, or in a newer one of the same user. Somebody else who
   * has that name by now is not meant, so a name alone leads to nobody here.
   */
  answering(key: Key, sender: string): Key {
    const standing = this.answered(key, sender);
    if (standing !== undefined) return standing.sending.sendKey;
    throw misuse(
      "ERR_COUNTERSIGN_RECIPIENT",
      `No session stands with the "${sender}" who said this. Send to whoever has that name now with an id buffer of his.`,
    );
  }

  /** The session that {@link answering} takes the key of. */
  answered(key: Key, sender: string): Standing | undefined {
    const standing = this.of(key) ?? this.#byPeer.get(sender);
    if (standing === undefined || standing.session.end === "client") return standing;
    const { user, mechanism } = standing.session;
    return user === key.session?.user && mechanism === key.session?.mechanism ? standing : undefined;
  }

  /** A message was accepted under this key: the other end has it. */
  used(key: Key): void {
    if (key === this.#latest) return;
    this.#latest = key;
    const standing = this.of(key);
    if (standing === undefined) return;
    standing.heardAt = this.#now();
    if (key === standing.session.receiveKey) standing.sending = standing.session;
    if (!standing.confirmed) this.#confirm(standing);
  }

  /** Of what the same client had before, nothing can come any more: order holds across logins too. */
  #confirm(standing: Standing): void {
    standing.confirmed = true;
    this.#confirmed++;
    const { peer, end } = standing.session;
    // A client speaks to one server, whatever its name is after a restart.
    const all = end === "client" ? this.#byLineage.values() : (this.#ofPeer.get(peer) ?? []);
    for (const other of [...all])
      if (other !== standing) this.remove(other, end === "client" ? "forgotten" : "replaced");
    this.#byPeer.set(peer, standing);
    this.#listeners.confirmed(standing);
  }

  #leave(standing: Standing): void {
    const { peer } = standing.session;
    const peers = this.#ofPeer.get(peer);
    peers?.delete(standing);
    if (peers?.size === 0) this.#ofPeer.delete(peer);
    if (this.#byPeer.get(peer) !== standing) return;
    const [other] = peers ?? [];
    if (other === undefined) this.#byPeer.delete(peer);
    else this.#byPeer.set(peer, other);
  }

  /** Some of those that there are sessions with, quoted. */
  #names(most: number): string[] {
    const names: string[] = [];
    for (const name of this.#byPeer.keys()) if (names.push(`"${name}"`) === most) break;
    return names;
  }

  #only(): Standing | undefined {
    let latest: Standing | undefined;
    for (const standing of this.#byLineage.values()) {
      if (standing.confirmed || standing.session.end === "client") latest = standing;
    }
    return latest;
  }

  #evict(): void {
    // Used again and again, it was noted once.
    const latest = this.#latest && this.of(this.#latest);
    if (latest !== undefined) latest.heardAt = this.#now();
    let oldest: Standing | undefined;
    for (const standing of this.#byLineage.values()) {
      if (oldest === undefined || standing.heardAt < oldest.heardAt) oldest = standing;
    }
    if (oldest !== undefined) this.remove(oldest, "evicted");
  }

  #accept(key: Key): void {
    this.#revoked.delete(key.id);
    this.#byId.set(key.id, [...(this.#byId.get(key.id) ?? []), key]);
  }

  #forget(key: Key): void {
    const left = (this.#byId.get(key.id) ?? []).filter((held) => held !== key);
    if (left.length > 0) this.#byId.set(key.id, left);
    else this.#byId.delete(key.id);
  }

  #remember(id: number): void {
    this.#revoked.add(id);
    if (this.#revoked.size > MOST_REVOKED)
      this.#revoked.delete(this.#revoked.values().next().value as number);
  }
}
