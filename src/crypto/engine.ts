// The one interface between Countersign and cryptography: a keyed MAC over several pieces of memory. Engines differ
// in speed alone; test/crypto/engine-contract.ts holds each of them to the same answers.

/** A MAC key in the form that an engine wants it, made once and used for many messages. */
export interface PreparedKey {
  /**
   * Writes the tag over the concatenation of `parts` to `out` at `offset`.
   * The parts are read, never kept and never changed.
   */
  mac(parts: readonly Uint8Array[], out: Uint8Array, offset: number): void;
}

/** A MAC algorithm's implementation. */
export interface MacEngine {
  /** What the engine is called in the bench and in `countersign inspect`. */
  readonly name: string;
  /** Bytes of a tag. */
  readonly tagBytes: number;
  /** Prepares `key` for use; the bytes are copied. */
  prepare(key: Uint8Array): PreparedKey;
}
