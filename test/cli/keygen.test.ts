// countersign keygen: real files, real modes, real links, and what happens when the disk or another process gets in
// the way.

import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generateKey, type Key, readKeyring, Signer, Verifier } from "../../src/core.js";
import { countersign, expectFailure, MAIN, type Outcome, onTerminal, scratchFolder, shell } from "./run.js";

const scratch = scratchFolder();
const DAY = 86_400;

/** A folder of a test's own. */
const newFolder = () => mkdtempSync(join(scratch, "t-"));
const modeOf = (path: string) => statSync(path).mode & 0o777;
const jwks = (path: string) => JSON.parse(readFileSync(path, "utf8")) as { keys: Record<string, unknown>[] };
const secrets = (path: string) => jwks(path).keys.map(({ k }) => k as string);
const ids = (path: string) => readKeyring(path).keys.map((key) => key.idText);
const secondsFromNow = (seconds: number) => Date.now() / 1000 + seconds;

async function made(path: string, ...args: string[]): Promise<string> {
  const outcome = await countersign(["keygen", path, ...args]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return outcome.stdout;
}

describe("a new key file", () => {
  test("is a JWK Set of one key that every reader takes, and shows no secret", async () => {
    const path = join(newFolder(), "new.json");
    const stdout = await made(path);
    const [{ k, ...jwk } = {}, ...more] = jwks(path).keys;
    expect(more).toStrictEqual([]);
    expect(Buffer.from(k as string, "base64url")).toHaveLength(32);
    const [id] = ids(path);
    expect(jwk).toStrictEqual({ kty: "oct", kid: id, alg: "HS256", use: "sig" });
    expect(stdout).toContain(`${id}  current  any sender, any channel`);
    expect(stdout).not.toContain(k);
  });

  test("goes to countersign.keys.json in this folder where no name is given", async () => {
    const cwd = newFolder();
    expect(await countersign(["keygen"], { cwd })).toMatchObject({ code: 0 });
    expect(readdirSync(cwd)).toStrictEqual(["countersign.keys.json"]);
  });

  test("has another key every time", async () => {
    const folder = newFolder();
    await Promise.all([made(join(folder, "a")), made(join(folder, "b"))]);
    expect(secrets(join(folder, "a"))).not.toStrictEqual(secrets(join(folder, "b")));
  });

  test.each([["000"], ["022"], ["0777"]])("has mode 0600 under umask %s", async (umask) => {
    const cwd = newFolder();
    expect(await shell(`umask ${umask}; $countersign keygen new.json`, { cwd })).toMatchObject({ code: 0 });
    expect(modeOf(join(cwd, "new.json"))).toBe(0o600);
  });

  test("keeps to the senders, channels and moment it is given", async () => {
    const path = join(newFolder(), "new.json");
    const args = [
      "--senders",
      "a, b",
      "--senders",
      "c",
      "--channels",
      "x y,z",
      "--not-before",
      "2030-01-31T08:00+02:00",
    ];
    const stdout = await made(path, ...args);
    const nbf = Date.UTC(2030, 0, 31, 6) / 1000;
    expect(jwks(path).keys).toMatchObject([{ senders: ["a", "b", "c"], channels: ["x y", "z"], nbf }]);
    expect(stdout).toContain("from 2030-01-31 06:00:00 UTC on  senders a, b, c, channels x y, z");
  });

  test("may be restricted to the channel that is meant where none is named", async () => {
    const path = join(newFolder(), "new.json");
    expect(await made(path, "--channels", "")).toContain('channels ""');
    expect(jwks(path).keys).toMatchObject([{ channels: [""] }]);
  });
});

describe("nothing is overwritten", () => {
  test("a file stays as it is, and the way to rotate is named", async () => {
    const path = join(newFolder(), "old keys.json");
    writeFileSync(path, "precious", { mode: 0o640 });
    expectFailure(
      await countersign(["keygen", path]),
      `rotate its key: countersign keygen '${path}' --rotate.`,
    );
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(modeOf(path)).toBe(0o640);
  });

  test("a link is not followed, and nothing is made behind one that leads nowhere", async () => {
    const folder = newFolder();
    const [target, link] = [join(folder, "target"), join(folder, "link")];
    symlinkSync(target, link);
    expectFailure(await countersign(["keygen", link]), "exists already");
    expect(existsSync(target)).toBe(false);
    writeFileSync(target, "precious");
    expectFailure(await countersign(["keygen", link]), "exists already");
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  test("a folder is refused", async () => {
    expectFailure(await countersign(["keygen", newFolder()]), "exists already");
  });

  test("of eight at once exactly one wins, and the file is the winner's", async () => {
    const path = join(newFolder(), "raced.json");
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => countersign(["keygen", path])));
    const won = outcomes.filter(({ code }) => code === 0);
    expect(won).toHaveLength(1);
    for (const lost of outcomes.filter((outcome) => outcome !== won[0]))
      expectFailure(lost, "exists already");
    expect(won[0]?.stdout).toContain(ids(path)[0]);
  });
});

describe("where the disk says no", () => {
  test("a folder that does not exist: how to make it", async () => {
    const path = join(newFolder(), "not here", "new.json");
    expectFailure(
      await countersign(["keygen", path]),
      /does not exist\. Make it first: mkdir -p '.*not here'\./,
    );
  });

  test("a file where a folder should be", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    expectFailure(await countersign(["keygen", join(file, "new.json")]), "is not a folder");
  });

  test("a folder that may not be written to", async () => {
    const cwd = newFolder();
    chmodSync(cwd, 0o555);
    // To root every folder is writable, unless that one capability is taken away.
    const asAnyone = process.getuid?.() === 0 ? "setpriv --bounding-set=-dac_override" : "";
    expectFailure(
      await shell(`${asAnyone} $countersign keygen new.json`, { cwd }),
      "you may not write to this folder.",
    );
    expect(readdirSync(cwd)).toStrictEqual([]);
  });

  test("a file that cannot be written whole is taken away again", async () => {
    const cwd = newFolder();
    expectFailure(await shell("ulimit -f 0; $countersign keygen new.json", { cwd }), "file size limit");
    expect(readdirSync(cwd)).toStrictEqual([]);
  });
});

describe("into a pipe", () => {
  test("the JWK Set alone on stdout, the key id on stderr", async () => {
    const { code, stdout, stderr } = await countersign(["keygen", "-"]);
    expect(code).toBe(0);
    const [key] = (JSON.parse(stdout) as { keys: { kid: string; k: string }[] }).keys;
    expect(stderr).toContain(key?.kid);
    expect(stderr).not.toContain(key?.k);
  });

  test("never onto a screen", async () => {
    const { code, stdout } = await onTerminal(["keygen", "-"]);
    expect(stdout).toContain("would show the secret on the screen");
    expect(stdout).not.toContain("keys");
    expect(code).toBe(2);
  });

  test("not into a file that others can read", async () => {
    const cwd = newFolder();
    expectFailure(
      await shell("umask 022; $countersign keygen - > open.json", { cwd }),
      "can be read by others (mode 644)",
    );
    expect(statSync(join(cwd, "open.json")).size).toBe(0);
    expect(await shell("umask 077; $countersign keygen - > own.json", { cwd })).toMatchObject({ code: 0 });
    expect(readKeyring(join(cwd, "own.json")).keys).toHaveLength(1);
  });

  test("a full disk is an error", async () => {
    expectFailure(await shell("$countersign keygen - > /dev/full"), "The key was not written: ENOSPC");
  });
});

describe("rotation", () => {
  test("puts a new key in front and lets the old one run out after 24 hours", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    const [old] = secrets(path);
    const stdout = await made(path, "--rotate");
    const [added, retired, ...more] = jwks(path).keys;
    expect(more).toStrictEqual([]);
    expect(retired?.k).toBe(old);
    expect(added).not.toHaveProperty("exp");
    expect(Math.abs((retired?.exp as number) - secondsFromNow(DAY))).toBeLessThan(60);
    expect(stdout).toMatch(new RegExp(`${added?.kid}  current .*\n  ${retired?.kid}  accepted until `));
    for (const secret of secrets(path)) expect(stdout).not.toContain(secret);
  });

  test("what was signed before and after it verifies with the new file, until the overlap ends", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    const before = new Signer({ key: readKeyring(path), pattern: "push", sender: "before" });
    await made(path, "--rotate", "--overlap", "1h");
    const after = new Signer({ key: readKeyring(path), pattern: "push", sender: "after" });
    let now = Date.now() * 1000 - 1_000_000;
    const verifier = new Verifier({ key: readKeyring(path), pattern: "pull", clock: () => now });
    now += 2_000_000;
    expect(verifier.verify(before.sign("old key"))).toMatchObject({
      ok: true,
      origin: { keyId: ids(path)[1] },
    });
    expect(verifier.verify(after.sign("new key"))).toMatchObject({
      ok: true,
      origin: { keyId: ids(path)[0] },
    });
    now += 3_600_000_000;
    expect(verifier.verify(before.sign("old key"))).toMatchObject({ reason: "key-expired" });
    expect(verifier.verify(after.sign("new key"))).toMatchObject({ ok: true });
  });

  test("extends no key that ends earlier, and keeps what else the file holds", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    const { keys } = jwks(path);
    const exp = Math.round(secondsFromNow(600));
    const note = "hand-written";
    writeFileSync(path, JSON.stringify({ owner: "ops", keys: [{ ...keys[0], note, exp }] }));
    await made(path, "--rotate");
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      owner: "ops",
      keys: [{}, { ...keys[0], note, exp }],
    });
  });

  test("the new key is good for what the current one is good for, unless told otherwise", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path, "--senders", "a", "--channels", "x");
    await made(path, "--rotate", "--channels", "y");
    expect(jwks(path).keys).toMatchObject([
      { senders: ["a"], channels: ["y"] },
      { senders: ["a"], channels: ["x"] },
    ]);
  });

  test("a key for later leaves the old one current, and the overlap begins when it does", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    const [old] = ids(path);
    const stdout = await made(path, "--rotate", "--not-before", "2h", "--overlap", "1h");
    const [added, retired] = jwks(path).keys;
    expect((retired?.exp as number) - (added?.nbf as number)).toBe(3600);
    expect(readKeyring(path).current(Date.now()).idText).toBe(old);
    expect(stdout).toMatch(new RegExp(`${added?.kid}  from .* on .*\n  ${old}  current until `));
  });

  test("an overlap of nothing ends the old key now", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    await made(path, "--rotate", "--overlap", "0");
    expect(Math.abs((jwks(path).keys[1]?.exp as number) - secondsFromNow(0))).toBeLessThan(60);
  });

  test("the file has mode 0600 under any umask, and another inode: it was replaced, not written into", async () => {
    const cwd = newFolder();
    const path = join(cwd, "keys.json");
    await made(path);
    linkSync(path, join(cwd, "kept"));
    const before = readFileSync(path, "utf8");
    expect(await shell("umask 000; $countersign keygen keys.json --rotate", { cwd })).toMatchObject({
      code: 0,
    });
    expect(modeOf(path)).toBe(0o600);
    expect(readFileSync(join(cwd, "kept"), "utf8")).toBe(before);
    expect(readdirSync(cwd).sort()).toStrictEqual(["kept", "keys.json"]);
  });
});

describe("what cannot be rotated is left as it is", () => {
  const fresh = JSON.stringify({ keys: [{ kty: "oct", k: generateKey().toString("base64url") }] });

  test.each([
    ["no file", undefined, 0, /It does not exist\. Make it with: countersign keygen /],
    ["a file that others can read", fresh, 0o644, /Others can read it \(mode 644\)\. Write: chmod 600 /],
    ["no JSON", "{", 0o600, /it is not JSON/],
    ["no JWK Set", "[]", 0o600, /a JWK Set is an object with an array "keys"/],
    ["no key", '{"keys":[]}', 0o600, /needs at least one key/],
    ["a short key", '{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}', 0o600, /at least 32 bytes/],
  ])("%s", async (_, text, mode, advice) => {
    const folder = newFolder();
    const path = join(folder, "keys.json");
    if (text !== undefined) writeFileSync(path, text, { mode });
    expectFailure(await countersign(["keygen", path, "--rotate"]), advice);
    expect(readdirSync(folder)).toStrictEqual(text === undefined ? [] : ["keys.json"]);
    if (text !== undefined) expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("a link", async () => {
    const folder = newFolder();
    const link = join(folder, "link");
    await made(join(folder, "keys.json"));
    symlinkSync("keys.json", link);
    expectFailure(await countersign(["keygen", link, "--rotate"]), "symbolic link; give the file itself");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(ids(join(folder, "keys.json"))).toHaveLength(1);
  });

  test("derived keys: their master is rotated, and they are derived anew", async () => {
    const folder = newFolder();
    const [master, device] = [join(folder, "master"), join(folder, "device")];
    await made(master);
    await made(device, "--from", master, "--sender", "robot");
    expectFailure(await countersign(["keygen", device, "--rotate"]), "only that one can be rotated");
    expect(readdirSync(folder).sort()).toStrictEqual(["device", "master"]);
  });

  test("on a disk that is full", async () => {
    const cwd = newFolder();
    const path = join(cwd, "keys.json");
    await made(path);
    const before = readFileSync(path, "utf8");
    expectFailure(
      await shell("ulimit -f 0; $countersign keygen keys.json --rotate", { cwd }),
      "file size limit",
    );
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(cwd)).toStrictEqual(["keys.json"]);
  });
});

describe("rotations that meet", () => {
  test("of six at once, each that says it succeeded is in the file, and no other", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => countersign(["keygen", path, "--rotate"])),
    );
    const won = outcomes.filter(({ code }) => code === 0);
    for (const lost of outcomes.filter(({ code }) => code !== 0))
      expectFailure(lost, "another rotation is under way");
    expect(won.length).toBeGreaterThan(0);
    expect(ids(path)).toHaveLength(1 + won.length);
    const announced = won.map(({ stdout }: Outcome) => /([0-9a-f]{8}) {2}current/.exec(stdout)?.[1]);
    expect(ids(path)).toEqual(expect.arrayContaining(announced));
  });

  test("one that was interrupted leaves a lock, and the way out is named", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    writeFileSync(`${path}.lock`, "");
    expectFailure(
      await countersign(["keygen", path, "--rotate"]),
      `remove it and try again: rm ${path}.lock.`,
    );
    expect(ids(path)).toHaveLength(1);
    rmSync(`${path}.lock`);
    await made(path, "--rotate");
    expect(ids(path)).toHaveLength(2);
  });

  test("killed at any moment, the file is the old one or the new one", async () => {
    const path = join(newFolder(), "keys.json");
    await made(path);
    let held = ids(path);
    for (let delay = 0; delay < 300; delay += 20) {
      await killedAfter(delay, ["keygen", path, "--rotate"]);
      const now = ids(path);
      expect(now.slice(-held.length)).toStrictEqual(held);
      expect(now.length - held.length).toBeLessThanOrEqual(1);
      held = now;
      rmSync(`${path}.lock`, { force: true });
    }
  });
});

function killedAfter(milliseconds: number, args: string[]): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  return new Promise((resolve) =>
    child.on("close", () => {
      clearTimeout(timer);
      resolve();
    }),
  );
}

describe("derived keys", () => {
  type Patterns = { from: "push" | "pub"; to: "pull" | "sub" };
  const PIPE: Patterns = { from: "push", to: "pull" };
  const BROADCAST: Patterns = { from: "pub", to: "sub" };

  const verdictOf = (
    device: Key,
    { from, to }: Patterns,
    { sender, channel }: { sender: string; channel: string },
    master: string,
  ) => {
    let behind = 1_000_000;
    const clock = () => Date.now() * 1000 - behind;
    const verifier = new Verifier({ key: readKeyring(master), pattern: to, channel, clock });
    behind = 0; // a second passes between the receiver's start and the message
    const signer = new Signer({ key: device, pattern: from, sender, channel });
    const verdict = verifier.verify(signer.sign(["topic", "x"]));
    signer.close();
    return verdict;
  };

  test("let a device speak as itself alone, to whoever holds the master", async () => {
    const folder = newFolder();
    const [master, device] = [join(folder, "master"), join(folder, "device")];
    await made(master);
    await made(master, "--rotate");
    const stdout = await made(device, "--from", master, "--sender", "robot~3");
    expect(modeOf(device)).toBe(0o600);
    expect(ids(device)).toStrictEqual(ids(master));
    expect(stdout).toContain("sender robot, any channel");
    expect(secrets(device).some((secret) => secrets(master).includes(secret))).toBe(false);
    expect(jwks(device).keys[1]).toHaveProperty("exp", jwks(master).keys[1]?.exp);
    const [key] = readKeyring(device).keys as [Key];
    const robot = { sender: "robot", channel: "any" };
    expect(verdictOf(key, PIPE, robot, master)).toMatchObject({ ok: true, origin: { sender: "robot" } });
    const other = { sender: "other", channel: "any" };
    expect(() => verdictOf(key, PIPE, other, master)).toThrow(/cannot sign as "other"/);
  });

  test("for the broadcasts of one channel alone", async () => {
    const folder = newFolder();
    const [master, subscriber] = [join(folder, "master"), join(folder, "subscriber")];
    await made(master);
    expect(await made(subscriber, "--from", master, "--sender", "kernel", "--channel", "iopub")).toContain(
      "sender kernel, channel iopub",
    );
    const [key] = readKeyring(subscriber).keys as [Key];
    const iopub = { sender: "kernel", channel: "iopub" };
    expect(verdictOf(key, BROADCAST, iopub, master)).toMatchObject({ ok: true });
    expect(() => verdictOf(key, PIPE, iopub, master)).toThrow(/cannot sign/);
    expect(() => verdictOf(key, BROADCAST, { ...iopub, channel: "shell" }, master)).toThrow(/cannot sign/);
  });

  test("only from keys that are good for that sender and channel", async () => {
    const folder = newFolder();
    const [master, device] = [join(folder, "master"), join(folder, "device")];
    await made(master, "--senders", "a", "--channels", "x");
    expectFailure(
      await countersign(["keygen", device, "--from", master, "--sender", "b"]),
      'is good for sender "b".',
    );
    const wrong = ["keygen", device, "--from", master, "--sender", "a", "--channel", "y"];
    expectFailure(await countersign(wrong), 'is good for sender "a" on channel "y".');
    await made(device, "--from", master, "--sender", "a");
    expectFailure(
      await countersign(["keygen", join(folder, "more"), "--from", device, "--sender", "a"]),
      "needs a master key",
    );
  });
});

describe("options that do not go together, and values that are none", () => {
  test.each([
    [["", "--rotate"], "The file has no name."],
    [["f", "--rotate", "--from", "g"], "two different things"],
    [["-", "--rotate"], "--rotate changes a file; name it."],
    [["f", "--overlap", "1h"], "--overlap belongs to --rotate."],
    [["f", "--sender", "a"], "name it with --from. (To restrict a new key, there is --senders.)"],
    [["f", "--channel", "a"], "name it with --from. (To restrict a new key, there is --channels.)"],
    [["f", "--from", "g"], "name it with --sender."],
    [["--from", "g", "--sender", "a"], "Name the file for the derived keys"],
    [["f", "--from", "g", "--sender", "a", "--senders", "b"], "derived ones keep the terms of their master"],
    [["f", "--from", "g", "--sender", "a b"], "--sender must be a name of 1 to 64 visible ASCII characters"],
    [["f", "--from", "nowhere.json", "--sender", "a"], "Key file nowhere.json: It does not exist."],
    [["f", "--senders", "a,,b"], "--senders: there is an empty name between the commas."],
    [["f", "--senders", ""], "--senders must be a name"],
    [["f", "--senders", "a~2"], "write a instead of a~2."],
    [["f", "--channels", "x".repeat(256)], "channel must be a text of at most 255 bytes"],
    [
      ["f", "--rotate", "--overlap", "soon"],
      '--overlap: "soon" is no duration; write 30m, 24h, 7d or the like.',
    ],
    [["f", "--not-before", "tomorrow"], '--not-before: "tomorrow" is no moment'],
  ])("%j", async (args, advice) => {
    const cwd = newFolder();
    const outcome = await countersign(["keygen", ...args], { cwd });
    expect(outcome.stderr).toContain(advice);
    expectFailure(outcome, "");
    expect(readdirSync(cwd)).toStrictEqual([]);
  });
});

test("a folder with an awkward name is quoted where it can be pasted", async () => {
  const folder = join(newFolder(), "it's");
  mkdirSync(folder);
  await made(join(folder, "k"));
  const { stderr } = await countersign(["keygen", join(folder, "k")]);
  expect(stderr).toContain("it'\\''s/k' --rotate.");
});
