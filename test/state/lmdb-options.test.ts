// What LmdbState is given: options that cannot work are refused with what would, and a listener that throws harms nothing.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { LmdbState } from "../../src/state/lmdb.js";
import { folder } from "./lmdb-scene.js";

describe("options", () => {
  const path = folder();

  test.each([
    [undefined, /new LmdbState\(\{ path:/],
    [null, /new LmdbState\(\{ path:/],
    ["/var/lib", /new LmdbState\(\{ path:/],
    [{}, /path must be/],
    [{ path: "" }, /path must be/],
    [{ path, ahead: -1 }, /ahead must be milliseconds from 0 to 60000; got -1/],
    [{ path, ahead: "y" }, /ahead must be milliseconds/],
    [{ path, ahead: Infinity }, /ahead must be milliseconds/],
    [{ path, ahead: Number.NaN }, /ahead must be milliseconds/],
    [{ path, ahead: null }, /ahead must be milliseconds/],
    [{ path, clock: 5 }, /clock must be a function, which returns microseconds.*got number/],
    [{ path, onError: "log" }, /onError must be a function; got string/],
    [{ path, onerror: () => {} }, /no option "onerror"; there are path, clock, ahead, onError/],
  ])("that cannot work are refused, with what would: %j", (options, text) => {
    expect(() => new LmdbState(options as never)).toThrow(
      expect.objectContaining({
        code: "ERR_COUNTERSIGN_OPTIONS",
        message: expect.stringMatching(text),
      }),
    );
    expect(existsSync(path)).toBe(false);
  });
});

describe("a listener that throws", () => {
  test.each(["while a message is ruled on", "while more is reserved"])(
    "%s is heard of, and breaks no ruling",
    (when) => {
      const path = folder();
      const program = `
      import { renameSync } from "node:fs";
      import { LmdbState } from ${JSON.stringify(pathToFileURL("dist/state/lmdb.js"))};
      process.on("uncaughtException", ({ message }) => console.log("uncaught:", message));
      process.on("unhandledRejection", ({ message }) => console.log("rejected:", message));
      const state = new LmdbState({ path: process.argv[1], onError: () => { throw new Error("broke"); } });
      const table = state.table("r", "shell", "dealer", { window: 0, limit: 10 });
      const admit = (sequence) => table.admit({ stream: "alice", epoch: 1, sequence, count: 1, keyId: 7,
        signedAfter: Infinity, toFreshName: false, unproven: "not-live" });
      console.log(admit(1));
      renameSync(process.argv[1], process.argv[1] + "-gone");
      console.log(admit(${when === "while more is reserved" ? 60 : 1_000_000}));
    `;
      const args = ["--input-type=module", "-e", program, path];
      const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
      const second = when === "while more is reserved" ? "new" : "state-unavailable";
      expect(stdout.trim().split("\n")).toEqual(["new", second, "uncaught: broke"]);
    },
  );
});
