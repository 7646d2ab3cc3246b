// Arbitrary values and bodies for the codec tests: what each codec carries, and MessagePack bytes written by hand in
// every format the specification has for a value, next to the value that they stand for.

import fc from "fast-check";

const keys = fc.string({ unit: "binary", maxLength: 20 }).filter((key) => key !== "__proto__");
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
);
/** -0 arrives as 0 and has a test of its own. */
const finiteNumbers = numbers.map((number) => (number === 0 ? 0 : number));

const objectsOf = (value: fc.Arbitrary<unknown>) =>
  fc.dictionary(keys, value, { maxKeys: 6, noNullPrototype: true });

function nestedOf(scalars: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      scalars,
      fc.array(tie("value"), { maxLength: 6 }),
      objectsOf(tie("value")),
    ),
  })).value;
}

/** What the json codec carries. */
export const jsonValues = nestedOf(
  fc.oneof(fc.constant(null), fc.boolean(), finiteNumbers, fc.string({ unit: "binary" })),
);

/** What the msgpack codec carries. */
export const msgpackValues = nestedOf(
  fc.oneof(
    fc.constant(null),
    fc.boolean(),
    finiteNumbers,
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.date({ noInvalidDate: true }),
  ),
);

/** A MessagePack body and what it means. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly value: unknown;
}

/** A big-endian unsigned number of `size` bytes, which is how MessagePack writes lengths. */
export function uint(number: number | bigint, size: number): Buffer {
  return Buffer.from(
    BigInt(number)
      .toString(16)
      .padStart(size * 2, "0"),
    "hex",
  );
}

/** One of the heads that a length fits in, the specification's shortest or a longer one. */
function headOf(length: number, heads: readonly [first: number, lengthBytes: number][], fix?: number) {
  const fitting = heads
    .filter(([, lengthBytes]) => length < 256 ** lengthBytes)
    .map(([first, lengthBytes]) => Buffer.concat([Buffer.of(first), uint(length, lengthBytes)]));
  return fc.constantFrom(...fitting, ...(fix === undefined ? [] : [Buffer.of(fix | length)]));
}

function numberOf(first: number, size: number, read: (bytes: Buffer) => unknown): fc.Arbitrary<Encoded> {
  return fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => ({
    bytes: Buffer.concat([Buffer.of(first), bytes]),
    value: read(Buffer.from(bytes)),
  }));
}

const numbersOnWire = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }).map((number) => ({ bytes: Buffer.of(number), value: number })),
  fc.integer({ min: -32, max: -1 }).map((number) => ({ bytes: Buffer.of(number & 0xff), value: number })),
  numberOf(0xca, 4, (bytes) => bytes.readFloatBE()),
  numberOf(0xcb, 8, (bytes) => bytes.readDoubleBE()),
  numberOf(0xcc, 1, (bytes) => bytes.readUInt8()),
  numberOf(0xcd, 2, (bytes) => bytes.readUInt16BE()),
  numberOf(0xce, 4, (bytes) => bytes.readUInt32BE()),
  numberOf(0xcf, 8, (bytes) => bytes.readBigUInt64BE()),
  numberOf(0xd0, 1, (bytes) => bytes.readInt8()),
  numberOf(0xd1, 2, (bytes) => bytes.readInt16BE()),
  numberOf(0xd2, 4, (bytes) => bytes.readInt32BE()),
  numberOf(0xd3, 8, (bytes) => bytes.readBigInt64BE()),
);

const constantsOnWire = fc.constantFrom<Encoded>(
  { bytes: Buffer.of(0xc0), value: null },
  { bytes: Buffer.of(0xc2), value: false },
  { bytes: Buffer.of(0xc3), value: true },
);

function textOnWire(text: fc.Arbitrary<string>): fc.Arbitrary<Encoded> {
  const heads: [number, number][] = [
    [0xd9, 1],
    [0xda, 2],
    [0xdb, 4],
  ];
  return text.chain((value) => {
    const utf8 = Buffer.from(value);
    const fix = utf8.length < 32 ? 0xa0 : undefined;
    return headOf(utf8.length, heads, fix).map((head) => ({ bytes: Buffer.concat([head, utf8]), value }));
  });
}

const binariesOnWire = fc.uint8Array({ maxLength: 300 }).chain((bytes) =>
  headOf(bytes.length, [
    [0xc4, 1],
    [0xc5, 2],
    [0xc6, 4],
  ]).map((head) => ({ bytes: Buffer.concat([head, bytes]), value: Buffer.from(bytes) })),
);

const DATE_SECONDS = 8_640_000_000_000n;

const timestampsOnWire = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((seconds) => ({
    bytes: Buffer.concat([Buffer.of(0xd6, 0xff), uint(seconds, 4)]),
    value: new Date(seconds * 1000),
  })),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 34n - 1n }), fc.bigInt({ min: 0n, max: 999n }))
    .map(([seconds, ms]) => ({
      bytes: Buffer.concat([Buffer.of(0xd7, 0xff), uint(((ms * 1_000_000n) << 34n) | seconds, 8)]),
      value: new Date(Number(seconds * 1000n + ms)),
    })),
  fc
    .tuple(fc.bigInt({ min: -DATE_SECONDS, max: DATE_SECONDS - 1n }), fc.bigInt({ min: 0n, max: 999n }))
    .map(([seconds, ms]) => ({
      bytes: Buffer.concat([
        Buffer.of(0xc7, 12, 0xff),
        uint(ms * 1_000_000n, 4),
        uint(BigInt.asUintN(64, seconds), 8),
      ]),
      value: new Date(Number(seconds * 1000n + ms)),
    })),
);

function arrayOnWire(items: readonly Encoded[]): fc.Arbitrary<Encoded> {
  const heads: [number, number][] = [
    [0xdc, 2],
    [0xdd, 4],
  ];
  return headOf(items.length, heads, 0x90).map((head) => ({
    bytes: Buffer.concat([head, ...items.map((item) => item.bytes)]),
    value: items.map((item) => item.value),
  }));
}

function mapOnWire(members: readonly (readonly [Encoded, Encoded])[]): fc.Arbitrary<Encoded> {
  const heads: [number, number][] = [
    [0xde, 2],
    [0xdf, 4],
  ];
  return headOf(members.length, heads, 0x80).map((head) => ({
    bytes: Buffer.concat([head, ...members.flatMap(([key, item]) => [key.bytes, item.bytes])]),
    value: Object.fromEntries(members.map(([key, item]) => [key.value, item.value])),
  }));
}

/** Well-formed MessagePack in every format, with its meaning. */
export const msgpackBodies: fc.Arbitrary<Encoded> = fc.letrec<{ value: Encoded }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    numbersOnWire,
    constantsOnWire,
    textOnWire(fc.string({ unit: "binary", maxLength: 100 })),
    binariesOnWire,
    timestampsOnWire,
    fc.array(tie("value"), { maxLength: 6 }).chain(arrayOnWire),
    fc
      .uniqueArray(fc.tuple(textOnWire(keys), tie("value")), { maxLength: 6, selector: ([key]) => key.value })
      .chain(mapOnWire),
  ),
})).value;

/** What a value counts as under `limits.values`: itself, and all keys, elements and members. The naive way. */
export function countOf(value: unknown): number {
  if (Array.isArray(value)) return 1 + value.reduce((sum, item) => sum + countOf(item), 0);
  if (!isRecord(value)) return 1;
  return 1 + Object.values(value).reduce<number>((sum, item) => sum + 1 + countOf(item), 0);
}

/** How many arrays and objects stand around the innermost value, themselves counted. The naive way. */
export function depthOf(value: unknown): number {
  if (!Array.isArray(value) && !isRecord(value)) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
