// What every MAC engine must do, whatever it is made of: the same answers for the same bytes, however they are cut.
// A second engine joins with one line: `engineContract(itsEngine, hmacSha256Vectors)`.

import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { MacEngine } from "../../src/crypto/engine.js";

/** A known answer: `tag` is what the MAC of `data` under `key` must be. */
export interface Vector {
  readonly name: string;
  readonly key: Buffer;
  readonly data: Buffer;
  readonly tag: string;
}

/** The test cases of RFC 4231, sections 4.2 to 4.8, that have a full HMAC-SHA-256 (4.6 is truncated). */
export const hmacSha256Vectors: readonly Vector[] = [
  {
    name: "RFC 4231, 4.2",
    key: Buffer.alloc(20, 0x0b),
    data: Buffer.from("Hi There"),
    tag: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    name: "RFC 4231, 4.3",
    key: Buffer.from("Jefe"),
    data: Buffer.from("what do ya want for nothing?"),
    tag: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    name: "RFC 4231, 4.4",
    key: Buffer.alloc(20, 0xaa),
    data: Buffer.alloc(50, 0xdd),
    tag: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  },
  {
    name: "RFC 4231, 4.5",
    key: Buffer.from("0102030405060708090a0b0c0d0e0f10111213141516171819", "hex"),
    data: Buffer.alloc(50, 0xcd),
    tag: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  },
  {
    name: "RFC 4231, 4.7",
    key: Buffer.alloc(131, 0xaa),
    data: Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
    tag: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  },
  {
    name: "RFC 4231, 4.8",
    key: Buffer.alloc(131, 0xaa),
    data: Buffer.from(
      "This is a test using a larger than block-size key and a larger than block-size data. " +
        "The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    tag: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  },
];

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i + 1));

/** Bytes that differ at every place within 251, so that a part taken twice or left out shows. */
function bytes(length: number, start = 0): Buffer {
  const filled = Buffer.alloc(length);
  for (let i = 0; i < length; i++) filled[i] = (i + start) % 251;
  return filled;
}

const expected = (key: Uint8Array, data: Uint8Array) => createHmac("sha256", key).update(data).digest();

/** Holds an HMAC-SHA-256 engine to its contract. */
export function engineContract(engine: MacEngine, vectors: readonly Vector[]): void {
  const macOf = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer => {
    const out = Buffer.alloc(engine.tagBytes);
    engine.prepare(key).mac(parts, out, 0);
    return out;
  };

  describe(`MAC engine ${engine.name}`, () => {
    test("its tags are full HMAC-SHA-256", () => expect(engine.tagBytes).toBe(32));

    test.each(vectors)("$name", ({ key, data, tag }) => {
      expect(macOf(key, data).toString("hex")).toBe(tag);
    });

    test("every length around the edges of 64-byte blocks and of their padding", () => {
      for (let length = 0; length <= 64 * 5 + 1; length++) {
        const data = bytes(length);
        expect(macOf(KEY, data), `${length} bytes`).toEqual(expected(KEY, data));
      }
      for (const edge of [1000, 1024, 4096, 32_768, 65_472, 65_504, 65_536]) {
        for (const length of [edge - 1, edge, edge + 1])
          expect(macOf(KEY, bytes(length)), `${length} bytes`).toEqual(expected(KEY, bytes(length)));
      }
      for (const length of [500, 100_000]) {
        expect(macOf(KEY, bytes(length)), `${length} bytes`).toEqual(expected(KEY, bytes(length)));
      }
    });

    test("a key that is used once gives the same tag, and disturbs no other", () => {
      const prepared = engine.prepare(KEY);
      for (const length of [0, 1, 32, 64, 65, 131]) {
        const [key, data] = [bytes(length, 3), bytes(100, length)];
        expect(engine.once(key, [data.subarray(0, 7), data.subarray(7)])).toEqual(expected(key, data));
        const out = Buffer.alloc(engine.tagBytes);
        prepared.mac([data], out, 0);
        expect(out).toEqual(expected(KEY, data));
      }
    });

    test("the same bytes cut into two anywhere", () => {
      const data = bytes(200);
      for (let cut = 0; cut <= data.length; cut++) {
        expect(macOf(KEY, data.subarray(0, cut), data.subarray(cut)), `cut at ${cut}`).toEqual(
          expected(KEY, data),
        );
      }
    });

    test("the same bytes cut into pieces of every size, with empty ones between", () => {
      const data = bytes(300);
      for (let size = 1; size <= 130; size++) {
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < data.length; at += size)
          pieces.push(data.subarray(at, at + size), new Uint8Array(0));
        expect(macOf(KEY, ...pieces), `pieces of ${size}`).toEqual(expected(KEY, data));
      }
    });

    test("no part, and empty parts alone", () => {
      const nothing = expected(KEY, Buffer.alloc(0));
      expect(macOf(KEY)).toEqual(nothing);
      expect(macOf(KEY, new Uint8Array(0), Buffer.alloc(0))).toEqual(nothing);
    });

    test("many parts", () => {
      const parts = Array.from({ length: 70_000 }, (_, i) => Buffer.from([i % 256]));
      expect(macOf(KEY, ...[Buffer.concat(parts)])).toEqual(expected(KEY, Buffer.concat(parts)));
      const out = Buffer.alloc(32);
      engine.prepare(KEY).mac(parts, out, 0);
      expect(out).toEqual(expected(KEY, Buffer.concat(parts)));
    });

    test.each([1, 31, 32, 33, 55, 56, 63, 64, 65, 128, 131, 200, 1000])("a key of %i bytes", (length) => {
      const key = bytes(length, 7);
      expect(macOf(key, bytes(100))).toEqual(expected(key, bytes(100)));
    });

    test("parts and keys that are views into larger memory, and plain Uint8Arrays", () => {
      const memory = new Uint8Array(bytes(500));
      const view = memory.subarray(3, 203);
      const key = memory.subarray(300, 332);
      expect(macOf(key, view)).toEqual(expected(key, view));
      expect(macOf(key, Buffer.from(memory.buffer, 3, 200))).toEqual(expected(key, view));
    });

    test("writes the tag at the offset, and nothing else", () => {
      const prepared = engine.prepare(KEY);
      for (const offset of [0, 1, 7, 40, 64]) {
        const out = Buffer.alloc(128, 0xee);
        prepared.mac([bytes(10)], out, offset);
        expect(out.subarray(offset, offset + 32)).toEqual(expected(KEY, bytes(10)));
        expect(out.fill(0xee, offset, offset + 32)).toEqual(Buffer.alloc(128, 0xee));
      }
    });

    test("writes into the very memory that it reads from", () => {
      const frame = Buffer.concat([bytes(40), Buffer.alloc(32), bytes(100, 9)]);
      const tag = expected(KEY, Buffer.concat([frame.subarray(0, 40), frame.subarray(72)]));
      engine.prepare(KEY).mac([frame.subarray(0, 40), frame.subarray(72)], frame, 40);
      expect(frame).toEqual(Buffer.concat([bytes(40), tag, bytes(100, 9)]));
    });

    describe("a frame around its tag", () => {
      const HOLE = 0xee;
      /** Frames of every length that matters with the tag at every place that does, and what else is covered. */
      function* cases() {
        const rests = [[], [bytes(9, 3)], [bytes(70, 5), new Uint8Array(0), bytes(1, 7)]];
        for (const length of [
          0, 1, 15, 16, 17, 47, 64, 100, 999, 1000, 1001, 32_767, 32_768, 32_769, 70_000,
        ]) {
          for (const at of new Set([0, 1, 15, 16, 31, 32, 33, 48, 55, 260, length])) {
            if (at > length) continue;
            for (const rest of rests) {
              for (const between of [
                undefined,
                new Uint8Array(0),
                bytes(21, 8),
                bytes(32, 9),
                bytes(33, 1),
                bytes(90),
              ])
                yield { length, at, rest, between };
            }
          }
        }
      }
      const frameOf = (length: number, at: number) =>
        Buffer.concat([bytes(at), Buffer.alloc(32, HOLE), bytes(length - at, at)]);
      const covered = (length: number, at: number, between: Uint8Array | undefined, rest: Uint8Array[]) =>
        Buffer.concat(
          [bytes(at), between ?? [], bytes(length - at, at), ...rest].map((part) => Buffer.from(part)),
        );

      test("is sealed over everything but the tag's place, and nothing else of it changes", () => {
        const prepared = engine.prepare(KEY);
        for (const { length, at, between, rest } of cases()) {
          const frame = frameOf(length, at);
          prepared.seal(frame, at, between, rest);
          const tag = expected(KEY, covered(length, at, between, rest));
          expect(frame.subarray(at, at + 32), `${length} bytes, tag at ${at}`).toEqual(tag);
          expect(frame.fill(HOLE, at, at + 32).equals(frameOf(length, at))).toBe(true);
        }
      });

      test("matches what it was sealed as", () => {
        const prepared = engine.prepare(KEY);
        for (const { length, at, between, rest } of cases()) {
          const frame = frameOf(length, at);
          expected(KEY, covered(length, at, between, rest)).copy(frame, at);
          const before = Buffer.from(frame);
          expect(prepared.matches(frame, at, between, rest), `${length} bytes, tag at ${at}`).toBe(true);
          expect(frame.equals(before)).toBe(true);
        }
      });

      test("matches nothing else: each bit of frame, tag and rest counts", () => {
        const prepared = engine.prepare(KEY);
        const [frame, rest, between] = [frameOf(90, 41), bytes(10, 2), bytes(6, 1)];
        for (const topic of [undefined, between]) {
          prepared.seal(frame, 41, topic, [rest]);
          for (const piece of [frame, rest, ...(topic ? [topic] : [])]) {
            for (let bit = 0; bit < 8 * piece.length; bit++) {
              piece[bit >> 3]! ^= 1 << (bit & 7);
              expect(prepared.matches(frame, 41, topic, [rest]), `bit ${bit}`).toBe(false);
              piece[bit >> 3]! ^= 1 << (bit & 7);
            }
          }
          expect(prepared.matches(frame, 41, topic, [rest])).toBe(true);
        }
      });

      test("without room for a tag is refused, and stays as it was", () => {
        const prepared = engine.prepare(KEY);
        for (const [length, at] of [
          [0, 0],
          [31, 0],
          [40, 9],
          [40, 41],
        ] as const) {
          const frame = Buffer.alloc(length);
          expect(() => prepared.seal(frame, at, undefined, [])).toThrow(RangeError);
          expect(() => prepared.matches(frame, at, undefined, [])).toThrow(RangeError);
          expect(frame).toEqual(Buffer.alloc(length));
        }
      });

      test("may be a view into larger memory, or a plain Uint8Array", () => {
        const memory = new Uint8Array(bytes(400));
        const prepared = engine.prepare(KEY);
        prepared.seal(memory.subarray(13, 213), 50, undefined, []);
        const head = bytes(400).subarray(13, 63);
        const tail = bytes(400).subarray(95, 213);
        expect(Buffer.from(memory.subarray(63, 95))).toEqual(expected(KEY, Buffer.concat([head, tail])));
        expect(prepared.matches(memory.subarray(13, 213), 50, undefined, [])).toBe(true);
      });
    });

    test("changes no part and not the list of them", () => {
      const parts = [bytes(1), bytes(64), bytes(200)];
      const before = parts.map((part) => Buffer.from(part));
      macOf(KEY, ...parts);
      engine.prepare(KEY).mac(parts, Buffer.alloc(32), 0);
      expect(parts).toEqual(before);
    });

    test("copies the key: what the caller does to it later changes nothing", () => {
      for (const length of [32, 64, 65]) {
        const key = bytes(length, 3);
        const prepared = engine.prepare(key);
        const tag = expected(key, bytes(10));
        key.fill(0);
        const out = Buffer.alloc(32);
        prepared.mac([bytes(10)], out, 0);
        expect(out).toEqual(tag);
      }
    });

    test("changes neither the key nor keeps a part of one message for the next", () => {
      const key = Buffer.from(KEY);
      const prepared = engine.prepare(key);
      const out = Buffer.alloc(32);
      for (const length of [0, 1, 63, 64, 65, 0, 500, 1]) {
        prepared.mac([bytes(length)], out, 0);
        expect(out, `${length} bytes`).toEqual(expected(KEY, bytes(length)));
      }
      expect(key).toEqual(KEY);
    });

    test("keeps prepared keys apart when they are used in turn", () => {
      const keys = Array.from({ length: 200 }, (_, i) => bytes(32, i));
      const prepared = keys.map((key) => engine.prepare(key));
      for (const length of [5, 100]) {
        keys.forEach((key, i) => {
          const out = Buffer.alloc(32);
          prepared[i]?.mac([bytes(length, i)], out, 0);
          expect(out).toEqual(expected(key, bytes(length, i)));
        });
      }
    });

    test("20 MB in one part and in many", () => {
      const data = bytes(20_000_000);
      const tag = expected(KEY, data);
      expect(macOf(KEY, data)).toEqual(tag);
      expect(
        macOf(KEY, data.subarray(0, 1), data.subarray(1, 10_000_001), data.subarray(10_000_001)),
      ).toEqual(tag);
    });
  });
}
