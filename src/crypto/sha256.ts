// The WebAssembly module of wasm/sha256.ts, compiled when it is first asked for, and its memory. What it does is
// synchronous and nothing is kept between two calls, so one instance serves a thread.

import { LAYOUT, MODULE } from "./sha256-module.js";

export { LAYOUT };

/** The module's functions. Places and lengths are bytes of its memory: {@link LAYOUT}. */
interface Functions {
  /** Takes blocks, one at least, into the state at `from`; what it becomes goes to `to`. */
  absorb(from: number, at: number, blocks: number, to: number): void;
  /** The tag over `length` bytes, under the states at `LAYOUT.states`. Overwrites up to 80 bytes behind them. */
  mac(at: number, length: number): void;
  /** The tag of the inner digest at `LAYOUT.digest`, under the outer of these states. */
  outer(): void;
  /** Moves bytes 32 on. Up to 15 of the 32 before their new place are overwritten. */
  closeUp(at: number, length: number): void;
}

/** As much of WebAssembly as is used: TypeScript knows it among the browser's names only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
};

/** An instance of the module. */
export interface Sha256 extends Functions {
  /** Its memory. */
  readonly bytes: Uint8Array;
  /** The same as 32-bit numbers. */
  readonly words: Int32Array;
  /** The key whose states are in it: where these came from. */
  readonly resident: { group: Int32Array | undefined; key: number };
}

/** @throws where WebAssembly, or its vectors, are not to be had */
export function instantiate(): Sha256 {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, "base64")));
  const { memory, ...functions } = exports as Functions & { memory: { buffer: ArrayBuffer } };
  return {
    ...functions,
    bytes: new Uint8Array(memory.buffer),
    words: new Int32Array(memory.buffer),
    resident: { group: undefined, key: 0 },
  };
}
