// Messages of a handshake that a client says again until they are answered: the same bytes, at growing intervals.

import type { LoginWire } from "./session-wire.js";

/** A message that waits for its answer. */
export interface Said {
  readonly frame: Buffer;
  /** When it was said last, and milliseconds until it is said again. */
  at: number;
  repeat: number;
}

/** Milliseconds until a message is said again: at first, and at the most. */
const FIRST_REPEAT = 100;
export const LAST_REPEAT = 2000;
/** A REQ makes a new connection for it. */
const FIRST_REPEAT_OF_REQ = 1000;
/** Milliseconds until what was not even taken is tried again: nobody is there yet, or a REQ waits for something else. */
const NOT_TAKEN = 2;
const EMPTY = Buffer.alloc(0);

/** Says them, with a delimiter where one belongs. */
export class Speaker {
  readonly #wire: LoginWire;
  readonly #firstRepeat: number;
  #delimited = false;

  constructor(wire: LoginWire, pattern: "dealer" | "req" | "pair") {
    this.#wire = wire;
    this.#firstRepeat = pattern === "req" ? FIRST_REPEAT_OF_REQ : FIRST_REPEAT;
  }

  /** Says something for the first time, to be said again in `repeat` milliseconds. */
  say(frame: Buffer, now: number, repeat = FIRST_REPEAT): Said {
    const said = { frame, at: now, repeat };
    void this.#send(said);
    return said;
  }

  /** What was not answered may have been lost, or never have been taken: it is the same bytes, and asks nothing new. */
  sayAgain(said: Said, now: number): void {
    if (now - said.at < said.repeat) return;
    said.at = now;
    said.repeat = Math.min(said.repeat * 2, LAST_REPEAT);
    void this.#send(said);
  }

  async #send(said: Said): Promise<void> {
    // A DEALER in front of a REP needs a delimiter, which the first message that waits shows.
    if (this.#wire.waiting() > 0) this.#delimited = this.#wire.delimits();
    const sent = await this.#wire.send(this.#delimited ? [EMPTY] : [], said.frame);
    said.repeat = sent ? Math.max(said.repeat, this.#firstRepeat) : NOT_TAKEN;
  }
}
