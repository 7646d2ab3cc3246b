// What an engine must show before it makes the first tag: a known answer, and the tags of a second engine at every
// length where something changes. It takes a few milliseconds, once a thread.

import type { MacEngine } from "./engine.js";
import type { Lengths } from "./fast-hmac.js";

/** RFC 4231, section 4.7: a key that is longer than a block. */
const KNOWN = {
  key: Buffer.alloc(131, 0xaa),
  data: Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
  tag: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
};
const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i + 1));
/** Ends of blocks, and of what fits into one beside the padding. */
const EDGES = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 183, 184, 192];
/** Of a prime length: no two blocks are alike. */
const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, i) => (31 * i) % 251));
const HEAD = 41;

/** @throws when `engine` does not give the same tags as `reference` */
export function assertSameTags(engine: MacEngine, reference: MacEngine, { short, medium }: Lengths): void {
  const tag = Buffer.alloc(engine.tagBytes);
  engine.prepare(KNOWN.key).mac([KNOWN.data], tag, 0);
  if (tag.toString("hex") !== KNOWN.tag) throw wrong("a known message");

  const [tested, trusted] = [engine.prepare(KEY), reference.prepare(KEY)];
  const expected = Buffer.alloc(engine.tagBytes);
  for (const length of [...EDGES, short, short + 1, medium, medium + 1]) {
    const data = Buffer.alloc(length, PATTERN);
    trusted.mac([data], expected, 0);
    tested.mac([data.subarray(0, HEAD), data.subarray(HEAD)], tag, 0);
    if (!tag.equals(expected)) throw wrong(`${length} bytes`);

    const frame = Buffer.concat([data.subarray(0, HEAD), Buffer.alloc(engine.tagBytes), data.subarray(HEAD)]);
    const at = Math.min(HEAD, length);
    tested.seal(frame, at, undefined, []);
    if (!expected.equals(frame.subarray(at, at + engine.tagBytes))) throw wrong(`a frame of ${length} bytes`);
    if (!tested.matches(frame, at, undefined, [])) throw wrong(`a frame of ${length} bytes, verified`);
    frame[at]! ^= 1;
    if (tested.matches(frame, at, undefined, [])) throw wrong(`a frame of ${length} bytes with a wrong tag`);
  }
}

function wrong(what: string): Error {
  return new Error(`The tag of ${what} was wrong.`);
}
