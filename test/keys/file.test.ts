// Key files: read only as their owner's own, and refused with what is wrong and how to mend it, never with the secret.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readKeyring } from "../../src/keys/file.js";
import { exportJwks } from "../../src/keys/jwk.js";
import { Keyring } from "../../src/keys/keyring.js";
import { sampleSecret } from "./sample-keys.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SET = JSON.stringify(exportJwks(new Keyring([sampleSecret(1), sampleSecret(2)])));
const SECRETS = [1, 2].map((n) => sampleSecret(n).toString("base64url"));

function keyFile(content: string | Buffer = SET, mode = 0o600): string {
  const path = join(folder, "keys.json");
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function refusal(path: string): string {
  try {
    readKeyring(path);
  } catch (error) {
    const { name, code, message } = error as Error & { code: string };
    expect({ name, code }).toEqual({ name: "CountersignError", code: "ERR_COUNTERSIGN_KEY_FILE" });
    expect(message.startsWith(`Key file ${path}: `)).toBe(true);
    const shown = inspect(error, { depth: 10, showHidden: true });
    for (const secret of SECRETS) expect(shown).not.toContain(secret.slice(0, 6));
    return message.slice(`Key file ${path}: `.length);
  }
  return expect.unreachable("it was read");
}

test.each([0o600, 0o400, 0o700])("a file of mode %o is read", (mode) => {
  const ring = readKeyring(keyFile(SET, mode));
  expect(ring.keys.map((key) => key.exportSecret().toString("base64url"))).toEqual(SECRETS);
});

describe("attack 40: a file is refused", () => {
  test.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777])(
    "when others can use it (mode %o)",
    (mode) => {
      const path = keyFile(SET, mode);
      expect(refusal(path)).toBe(`Others can read it (mode ${mode.toString(8)}). Write: chmod 600 ${path}`);
    },
  );

  test("when it is a symbolic link, to a good file too", () => {
    const link = join(folder, "link.json");
    symlinkSync(keyFile(), link);
    expect(refusal(link)).toBe("It is a symbolic link; give the file itself.");
    symlinkSync(join(folder, "nothing"), join(folder, "dangling"));
    expect(refusal(join(folder, "dangling"))).toMatch(/symbolic link/);
  });

  test("but not when it has a second name", () => {
    const second = join(folder, "second.json");
    linkSync(keyFile(), second);
    expect(readKeyring(second).keys).toHaveLength(2);
  });

  test("when it does not exist, with how to make it", () => {
    const path = join(folder, "none.json");
    expect(refusal(path)).toBe(`It does not exist. Make it with: countersign keygen ${path}`);
  });

  test("when a folder on the way is none", () => {
    expect(refusal(join(keyFile(), "deeper.json"))).toBe("It cannot be opened (ENOTDIR).");
  });

  test("when it is a directory", () => {
    const path = join(folder, "directory");
    mkdirSync(path, { mode: 0o700 });
    expect(refusal(path)).toBe("It is not a regular file.");
  });

  test("when it is a pipe that nobody writes to, at once", () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", ["-m", "600", path]);
    expect(refusal(path)).toBe("It is not a regular file.");
  });

  test("when it is a device", () => {
    expect(refusal("/dev/null")).toBe("It is not a regular file.");
  });

  test("when it is larger than any keyring", () => {
    const path = keyFile();
    truncateSync(path, 2 ** 20 + 1);
    expect(refusal(path)).toBe("It is larger than 1048576 bytes; is it a key file?");
    truncateSync(path, 2 ** 20);
    expect(refusal(path)).toMatch(/it is not JSON/);
  });

  test("when it is cut anywhere", () => {
    for (const length of [0, 1, 10, SET.length / 2, SET.length - 10, SET.length - 1]) {
      expect(refusal(keyFile(SET.slice(0, length)))).toBe("Not a usable JWK Set: it is not JSON.");
    }
  });

  test.each<[string, string | Buffer, RegExp]>([
    ["noise", Buffer.from([0xff, 0xfe, 0, 1, 2]), /it is not JSON/],
    ["a bare key", SECRETS[0] as string, /it is not JSON/],
    ["a number", "7", /it is not an object/],
    ["no JWK Set", "{}", /an object with an array "keys"/],
    ["a single JWK", `{"kty":"oct","k":"${SECRETS[0]}"}`, /an object with an array "keys"/],
    ["an empty set", '{"keys":[]}', /at least one key/],
    ["a short key", '{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}', /at least 32 bytes/],
  ])("when it holds %s", (_, content, message) => {
    expect(refusal(keyFile(content))).toMatch(message);
  });
});

test("the mistake is kept as the cause", () => {
  const path = join(folder, "none.json");
  expect(() => readKeyring(path)).toThrow(
    expect.objectContaining({ cause: expect.objectContaining({ code: "ENOENT" }) }),
  );
});
