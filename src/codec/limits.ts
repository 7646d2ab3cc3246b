// Bounds on one encoded value, for both directions: what one end may send, the other can read. Sizes are checked
// before anything is built from the bytes.

/** Bounds that an application may change: `msgpack({ limits: { … } })`. */
export interface CodecLimits {
  /** Most bytes of one encoded value. Default 16 MiB. */
  readonly bytes: number;
  /** Most arrays and maps around one another; 0 leaves scalars alone. Default 128, at most 1,024. */
  readonly depth: number;
  /**
   * Most values, where every key, element, array and map counts as one. It is what bounds the memory: two bytes can
   * stand for an empty binary that takes about 200 in memory. Default 1,000,000.
   */
  readonly values: number;
}

const DEFAULTS: CodecLimits = { bytes: 16 * 1024 * 1024, depth: 128, values: 1_000_000 };

/** Least and most that each limit may be. The depth keeps recursion over a checked value far from the stack's end. */
const RANGES: { readonly [Limit in keyof CodecLimits]: readonly [least: number, most: number] } = {
  bytes: [1, 2 ** 32 - 1],
  depth: [0, 1024],
  values: [1, 2 ** 32 - 1],
};

/** The limits with the defaults filled in. Throws TypeError for an unknown name, RangeError for a bad number. */
export function resolveLimits(given: Partial<CodecLimits> = {}): CodecLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(RANGES, name)) throw new TypeError(`limits: there is no limit "${name}"`);
    const [least, most] = RANGES[name as keyof CodecLimits];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(`limits.${name} must be a whole number from ${least} to ${most}`);
    }
  }
  const { bytes = DEFAULTS.bytes, depth = DEFAULTS.depth, values = DEFAULTS.values } = given;
  return { bytes, depth, values };
}
