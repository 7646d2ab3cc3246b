// The one interface between Countersign and cryptography: a keyed MAC over several pieces of memory. Engines differ
// in speed alone; test/crypto/engine-contract.ts holds each of them to the same answers.

/**
 * A MAC key in the form that an engine wants it, made once and used for many messages. What it is given is read, never
 * kept, and nothing of it is changed but the place of the tag.
 */
export interface PreparedKey {
  /** Writes the tag over the concatenation of `parts` to `out` at `offset`. */
  mac(parts: readonly Uint8Array[], out: Uint8Array, offset: number): void;
  /**
   * Writes the tag into a frame that has a place for it at `at`. It covers, in this order: what stands before that
   * place, `between`, what stands behind it in the frame, and `rest`.
   */
  seal(frame: Uint8Array, at: number, between: Uint8Array | undefined, rest: readonly Uint8Array[]): void;
  /** Whether the tag in the frame at `at` is the one that {@link seal} would write there. Takes as long if it is not. */
  matches(
    frame: Uint8Array,
    at: number,
    between: Uint8Array | undefined,
    rest: readonly Uint8Array[],
  ): boolean;
}

/** A MAC algorithm's implementation. */
export interface MacEngine {
  /** What the engine is called in the bench and in `countersign inspect`. */
  readonly name: string;
  /** Bytes of a tag. */
  readonly tagBytes: number;
  /** Prepares `key` for use; the bytes are copied. */
  prepare(key: Uint8Array): PreparedKey;
  /** The tag over the concatenation of `parts` under a key that is used this once: nothing of it is kept. */
  once(key: Uint8Array, parts: readonly Uint8Array[]): Buffer;
}

/** The parts that the tag of a frame covers, when it stands at `at` and has `tagBytes`. */
export function partsAround(
  tagBytes: number,
  frame: Uint8Array,
  at: number,
  between: Uint8Array | undefined,
  rest: readonly Uint8Array[],
): Uint8Array[] {
  const [head, tail] = [frame.subarray(0, at), frame.subarray(at + tagBytes)];
  return between === undefined ? [head, tail, ...rest] : [head, between, tail, ...rest];
}
