// Type tests of the core: what compiles, what must not, and what a verdict narrows to. The compiler runs them
// (`npm run check:types`); at run time they only construct what they need.

import {
  type Delivery,
  type Derived,
  deriveSenderKey,
  deriveStreamKey,
  type ErrorCode,
  exportJwks,
  type FrameLike,
  type Gap,
  generateKey,
  importJwks,
  type JwkSet,
  Key,
  Keyring,
  type KeySource,
  type Limits,
  MemoryState,
  type MessageLike,
  Origin,
  type Pattern,
  type PreparedKey,
  type Reason,
  type Rejection,
  type ReplayState,
  readKeyring,
  Signer,
  type SignerOptions,
  type Target,
  type Verdict,
  Verifier,
  type VerifierOptions,
  type VerifierStats,
} from "countersign/core";
import { describe, expectTypeOf, test } from "vitest";

const key = generateKey();

describe("a verdict", () => {
  test("narrows by ok", () => {
    const verdict: Verdict = new Verifier({ key, pattern: "pull" }).verify([]);
    if (verdict.ok) {
      expectTypeOf(verdict.frames).toEqualTypeOf<Buffer[]>();
      expectTypeOf(verdict.origin).toEqualTypeOf<Origin | undefined>();
      expectTypeOf(verdict.rest).toEqualTypeOf<readonly Delivery[]>();
      // @ts-expect-error what was delivered has no reason
      verdict.reason;
    } else {
      expectTypeOf(verdict.reason).toEqualTypeOf<Reason>();
      expectTypeOf(verdict.detail).toBeString();
      expectTypeOf(verdict).toExtend<Rejection>();
      // @ts-expect-error what was refused has no frames
      verdict.frames;
      // @ts-expect-error and no origin
      verdict.origin;
    }
  });

  test("takes its frames as any bytes, and a request's tag only as bytes", () => {
    expectTypeOf<Verifier["verify"]>().parameters.toEqualTypeOf<
      [received: readonly Uint8Array[], requestTag?: Uint8Array | undefined]
    >();
    // @ts-expect-error frames are bytes, not text
    () => new Verifier({ key, pattern: "pull" }).verify(["text"]);
  });
});

describe("what a reason may be", () => {
  test("is a closed union", () => {
    expectTypeOf<"replayed">().toExtend<Reason>();
    expectTypeOf<"bad-signature">().toExtend<Reason>();
    expectTypeOf<"anything">().not.toExtend<Reason>();
    expectTypeOf<VerifierStats["rejected"]>().toEqualTypeOf<Readonly<Record<Reason, number>>>();
    expectTypeOf<"ERR_COUNTERSIGN_KEY">().toExtend<ErrorCode>();
  });
});

describe("options", () => {
  test("need a key and a socket type, and nothing else", () => {
    expectTypeOf<{ key: Buffer; pattern: "push" }>().toExtend<SignerOptions>();
    expectTypeOf<{ key: Buffer; pattern: "pull" }>().toExtend<VerifierOptions>();
    expectTypeOf<{ pattern: "pull" }>().not.toExtend<VerifierOptions>();
    expectTypeOf<{ key: Buffer }>().not.toExtend<SignerOptions>();
  });

  test("refuse what has no meaning", () => {
    // @ts-expect-error a key is bytes, not text
    () => new Signer({ key: "secret", pattern: "push" });
    // @ts-expect-error no such socket type
    () => new Signer({ key, pattern: "stream" });
    // @ts-expect-error no such policy
    () => new Verifier({ key, pattern: "pull", policy: "ignore" });
    // @ts-expect-error no such limit
    () => new Verifier({ key, pattern: "pull", limits: { size: 1 } });
    // @ts-expect-error no such option
    () => new Verifier({ key, pattern: "pull", windw: 64 });
    // @ts-expect-error a signer has no window
    () => new Signer({ key, pattern: "push", window: 64 });
  });

  test("take undefined for what is left out", () => {
    expectTypeOf<{
      key: Buffer;
      pattern: "pull";
      window: undefined;
      onReject: undefined;
      state: undefined;
    }>().toExtend<VerifierOptions>();
    expectTypeOf<Partial<Limits>>().toExtend<NonNullable<VerifierOptions["limits"]>>();
  });

  test("take keys in every form", () => {
    expectTypeOf<Uint8Array>().toExtend<KeySource>();
    expectTypeOf<Key>().toExtend<KeySource>();
    expectTypeOf<Keyring>().toExtend<KeySource>();
    expectTypeOf<() => Keyring>().toExtend<KeySource>();
    expectTypeOf<() => Uint8Array>().toExtend<KeySource>();
    expectTypeOf<() => Promise<Keyring>>().not.toExtend<KeySource>();
    expectTypeOf<string>().not.toExtend<KeySource>();
  });

  test("type what callbacks hear", () => {
    new Verifier({
      key,
      pattern: "pull",
      onReject: (rejection) => expectTypeOf(rejection).toEqualTypeOf<Rejection>(),
      onGap: (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>(),
    });
  });
});

describe("signing", () => {
  test("takes messages as zeromq.js does, and gives frames", () => {
    expectTypeOf<Signer["sign"]>().toEqualTypeOf<(message: MessageLike, target?: Target) => Buffer[]>();
    expectTypeOf<string | number | null | Buffer | Uint8Array | ArrayBuffer>().toExtend<FrameLike>();
    expectTypeOf<readonly FrameLike[]>().toExtend<MessageLike>();
    expectTypeOf<undefined>().not.toExtend<FrameLike>();
    expectTypeOf<undefined[]>().not.toExtend<MessageLike>();
    expectTypeOf<{ to: Origin }>().toExtend<Target>();
    expectTypeOf<{ to: null }>().toExtend<Target>();
    expectTypeOf<{ to: 7 }>().not.toExtend<Target>();
  });
});

describe("what was verified cannot be written to", () => {
  test("an origin, a gap, a rejection", () => {
    expectTypeOf<Pick<Origin, "sender" | "epoch" | "sequence">>().toEqualTypeOf<{
      readonly sender: string;
      readonly epoch: number;
      readonly sequence: number;
    }>();
    expectTypeOf<Origin["pattern"]>().toEqualTypeOf<Pattern>();
    const origin = Object.create(Origin.prototype) as Origin;
    // @ts-expect-error read-only
    () => (origin.sender = "eve");
    expectTypeOf<Rejection["claimed"]>().toExtend<{ readonly sender: string } | undefined>();
    expectTypeOf<Gap["topic"]>().toEqualTypeOf<Buffer | undefined>();
  });
});

describe("keys", () => {
  test("are made, derived, written and read", () => {
    expectTypeOf(generateKey).returns.toEqualTypeOf<Buffer>();
    expectTypeOf(deriveSenderKey).toEqualTypeOf<(key: Uint8Array | Key, sender: string) => Key>();
    expectTypeOf(deriveStreamKey).parameters.toEqualTypeOf<
      [key: Uint8Array | Key, sender: string, channel?: string | undefined]
    >();
    expectTypeOf(importJwks).returns.toEqualTypeOf<Keyring>();
    expectTypeOf(exportJwks).returns.toEqualTypeOf<JwkSet>();
    expectTypeOf(readKeyring).toEqualTypeOf<(path: string) => Keyring>();
  });

  test("say what they were derived for", () => {
    const { derived } = new Key(key);
    expectTypeOf(derived).toEqualTypeOf<Derived>();
    if (derived.from === "stream") expectTypeOf(derived.channel).toBeString();
    // @ts-expect-error a master key has no sender
    if (derived.from === "master") derived.sender;
  });

  test("give MAC keys that write tags and tell nothing", () => {
    expectTypeOf<ReturnType<Key["derive"]>>().toEqualTypeOf<PreparedKey | undefined>();
    expectTypeOf<keyof PreparedKey>().toEqualTypeOf<"mac" | "seal" | "matches">();
  });

  test("rotate with an overlap, which must be said", () => {
    const ring = new Keyring([key]);
    // @ts-expect-error how long the old key stays good is no detail
    () => ring.rotate(key);
    expectTypeOf(ring.keys).toEqualTypeOf<readonly Key[]>();
    // @ts-expect-error keys are added by add
    () => ring.keys.push(new Key(key));
  });
});

test("memory is one kind of state", () => {
  expectTypeOf<MemoryState>().toExtend<ReplayState>();
  expectTypeOf(new MemoryState()).toExtend<NonNullable<VerifierOptions["state"]>>();
});
