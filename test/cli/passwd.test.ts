import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkVerifier, openVerifierFile } from "countersign/handshake";
import { beforeAll, describe, expect, test } from "vitest";
import { pause } from "../sockets/harness.js";
import { countersign, expectFailure, MAIN, scratchFolder } from "./run.js";

const folder = scratchFolder();
const QUICK = ["--iterations", "4096"];
let files = 0;
const newFile = () => join(folder, `users-${++files}.scram`);

/** A file with one user in it. */
async function withAlice(): Promise<string> {
  const path = newFile();
  const outcome = await countersign(["passwd", "add", path, "alice", ...QUICK], { input: "pencil\n" });
  expect(outcome).toMatchObject({ code: 0, stdout: "", stderr: `Added "alice" to ${path}.\n` });
  return path;
}

describe("a file", () => {
  let path: string;
  beforeAll(async () => {
    path = await withAlice();
  });

  test("has mode 0600, a secret for unknown users, and verifiers in PostgreSQL's form", () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines[0]).toMatch(/^# SCRAM-SHA-256/);
    expect(lines[1]).toMatch(/^:[A-Za-z0-9_-]{43}$/);
    expect(lines[2]).toMatch(/^alice:SCRAM-SHA-256\$4096:/);
    expect(readFileSync(path, "utf8")).not.toContain("pencil");
  });

  test("is a store of users, for a server", async () => {
    const store = openVerifierFile(path);
    expect(await store.find("alice")).toMatchObject({ iterations: 4096 });
    expect(await store.find("bob")).toBeUndefined();
    expect(store.decoy).toMatchObject({ iterations: 4096, saltBytes: 16 });
    expect(store.decoy.secret).toEqual(openVerifierFile(path).decoy.secret);
  });

  test("is checked against a password: exit code 0 yes, 1 no", async () => {
    expect(await countersign(["passwd", "check", path, "alice"], { input: "pencil\n" })).toMatchObject({
      code: 0,
    });
    const no = await countersign(["passwd", "check", path, "alice"], { input: "pen\n" });
    expect(no).toMatchObject({ code: 1, stdout: "", stderr: "That is not the password.\n" });
  });

  test("is listed without secrets", async () => {
    const { code, stdout } = await countersign(["passwd", "list", path]);
    expect([code, stdout]).toEqual([0, "alice  4096 iterations\n"]);
  });

  test("is never made of a second user of that name", async () => {
    const before = readFileSync(path, "utf8");
    expectFailure(
      await countersign(["passwd", "add", path, "alice", ...QUICK], { input: "x\n" }),
      "has a user",
    );
    expect(readFileSync(path, "utf8")).toBe(before);
  });
});

test("a password is changed, and a server that has the file open follows", async () => {
  const path = await withAlice();
  const store = openVerifierFile(path);
  const before = await store.find("alice");
  const outcome = await countersign(["passwd", "change", path, "alice", ...QUICK], { input: "other\n" });
  expect(outcome).toMatchObject({ code: 0 });
  const verifier = /^alice:(.*)$/m.exec(readFileSync(path, "utf8"))?.[1] as string;
  expect(await checkVerifier(verifier, "other")).toBe(true);
  await expect.poll(() => store.find("alice")).not.toEqual(before);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("users are added and removed, others stay, names of any kind", async () => {
  const path = await withAlice();
  const odd = "a:b,c=d %#";
  expect(await countersign(["passwd", "add", path, odd, ...QUICK], { input: "x\n" })).toMatchObject({
    code: 0,
  });
  expect((await countersign(["passwd", "list", path])).stdout).toContain(odd);
  expect(await openVerifierFile(path).find(odd)).toBeDefined();
  expect(await countersign(["passwd", "remove", path, "alice"])).toMatchObject({ code: 0 });
  expect(await openVerifierFile(path).find("alice")).toBeUndefined();
  expect(await openVerifierFile(path).find(odd)).toBeDefined();
});

describe("somebody else was quicker, while the password was typed:", () => {
  /** Begins an action whose password is typed when `type` is called: it has looked at the file by then. */
  function waiting(action: string, path: string, user: string) {
    const child = spawn(process.execPath, [MAIN, "passwd", action, path, user, ...QUICK]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    return async () => {
      child.stdin.end("late\n");
      return { code: await closed, stderr };
    };
  }

  /** Long enough for a process to have read the file; where it has not, nothing is proven, and nothing fails. */
  const started = () => pause(1000);

  test("a user who was taken out is not put in again by a change of his password", async () => {
    const path = await withAlice();
    const type = waiting("change", path, "alice");
    await started();
    expect(await countersign(["passwd", "remove", path, "alice"])).toMatchObject({ code: 0 });
    expect(await type()).toMatchObject({ code: 2, stderr: expect.stringContaining("has no user") });
    expect(await openVerifierFile(path).find("alice")).toBeUndefined();
  });

  test("a user who was added keeps his password; a file that was made keeps its users", async () => {
    const path = newFile();
    const [alice, bob] = [waiting("add", path, "alice"), waiting("add", path, "bob")];
    await started();
    const add = await countersign(["passwd", "add", path, "alice", ...QUICK], { input: "pencil\n" });
    expect(add).toMatchObject({ code: 0 });
    expect(await alice()).toMatchObject({ code: 2, stderr: expect.stringContaining("has a user") });
    expect(await bob()).toMatchObject({ code: 0 });
    expect((await countersign(["passwd", "list", path])).stdout).toMatch(/^alice .*\nbob /);
    const check = await countersign(["passwd", "check", path, "alice"], { input: "pencil\n" });
    expect(check).toMatchObject({ code: 0 });
  });
});

describe("is refused with advice", () => {
  test.each([
    [["passwd"], /Say what to do: add, change, remove, list, check/],
    [["passwd", "ad"], /There is no passwd ad.*Did you mean add\?/],
    [["passwd", "add"], /needs the file/],
    [["passwd", "add", "x"], /needs the user/],
    [["passwd", "list", "x", "y"], /name none/],
    [["passwd", "add", "x", "y", "password"], /One argument too many/],
    [["passwd", "add", "x", "y", "--password", "z"], /There is no option --password/],
    [["passwd", "add", "x", "y", "--iterations", "1"], /from 4096 to 1000000/],
    [["passwd", "add", "x", "y", "--text", "nfc"], /ascii, saslprep or none/],
    [["passwd", "list", join(folder, "none")], /does not exist. Make it with: countersign passwd add/],
  ])("%j", async (args, advice) => expectFailure(await countersign(args), advice));

  test("an unknown user, a name that is near named", async () => {
    const path = await withAlice();
    for (const action of ["change", "remove", "check"]) {
      const outcome = await countersign(["passwd", action, path, "alcie"], { input: "x\n" });
      expectFailure(outcome, /has no user "alcie".*Did you mean alice\?/);
    }
  });

  test("an empty password, none, one that the policy does not take", async () => {
    const path = newFile();
    expectFailure(
      await countersign(["passwd", "add", path, "a", ...QUICK], { input: "\n" }),
      "The password is empty",
    );
    expectFailure(
      await countersign(["passwd", "add", path, "a", ...QUICK]),
      "no password on the standard input",
    );
    expectFailure(
      await countersign(["passwd", "add", path, "a", ...QUICK], { input: "ä\n" }),
      /policy "ascii".*--text saslprep/,
    );
    expect(existsSync(path)).toBe(false);
  });

  test("a name that would not fit into a login", async () => {
    const long = "x".repeat(513);
    expectFailure(
      await countersign(["passwd", "add", newFile(), long, ...QUICK]),
      /513 bytes; it may have 512/,
    );
  });

  test("a file that others can read, and one that is none", async () => {
    const path = await withAlice();
    chmodSync(path, 0o644);
    expectFailure(await countersign(["passwd", "list", path]), /Others can read it.*chmod 600/);
    for (const text of [
      "alice",
      ":short",
      ":x\nalice:SCRAM",
      `:${"A".repeat(43)}\nalice:SCRAM-SHA-256$1:x$y:z`,
      "",
    ]) {
      writeFileSync(path, text);
      chmodSync(path, 0o600);
      expectFailure(await countersign(["passwd", "list", path]), "Verifier file");
    }
  });
});

/** What is typed: the first with a slip, which is taken back. */
const KEYS = ["pencix\x7fl\r", "pencil\r"];

test("on a terminal it asks twice, without echo, and shows how far it is", async () => {
  const path = newFile();
  const command = [process.execPath, MAIN, "passwd", "add", path, "alice", "--iterations", "1000000"].join(
    " ",
  );
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, TERM: "xterm" } });
  let screen = "";
  let typed = 0;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    screen += text;
    // Each prompt is answered once it is there.
    const prompt = ["New password of alice: ", "once more: "][typed];
    if (prompt !== undefined && screen.includes(prompt)) child.stdin.write(KEYS[typed++] as string);
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(0);
  expect(screen).toContain("New password of alice: ");
  expect(screen).toMatch(/Hashing 1000000 times: +\d+ %/);
  expect(screen).not.toContain("penc");
  expect(await countersign(["passwd", "check", path, "alice"], { input: "pencil\n" })).toMatchObject({
    code: 0,
  });
});
