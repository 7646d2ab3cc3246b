// countersign inspect on real messages of every socket type: what it says, and what a verifier says through it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  deriveSenderKey,
  deriveStreamKey,
  exportJwks,
  generateKey,
  Key,
  Keyring,
  REASONS,
} from "../../src/core.js";
import { conversation, KEY, KEYRING, lines, received, signed } from "./captures.js";
import { countersign, expectFailure, scratchFolder } from "./run.js";

const scratch = scratchFolder();

function keyFile(name: string, keyring: Keyring): string {
  const path = join(scratch, name);
  writeFileSync(path, JSON.stringify(exportJwks(keyring)), { mode: 0o600 });
  return path;
}

const KEYS = keyFile("keys.json", KEYRING);
const ASK = ["--key", KEYS, "--channel", "shell"];

function inspect(frames: readonly Uint8Array[], ...args: string[]) {
  return countersign(["inspect", ...args], { input: lines(frames) });
}

async function inspectJson(frames: readonly Uint8Array[], ...args: string[]) {
  const outcome = await inspect(frames, "--json", ...args);
  return { ...outcome, json: JSON.parse(outcome.stdout) };
}

describe("a genuine message is accepted, with nothing told but the channel and what no message holds", () => {
  test.each(Object.entries(received()))("%s", async (_, { frames, pattern, args = [] }) => {
    const { code, json } = await inspectJson(frames, ...ASK, ...args);
    expect(json.verdict.answer).toBe("accepted");
    expect(json.receiver).toMatchObject({ pattern, assumed: true });
    expect(json.faults).toStrictEqual([]);
    expect(code).toBe(0);
  });

  test("the signature frame alone will do where the body is in it", async () => {
    for (const pattern of ["dealer", "push", "pair", "req"] as const) {
      const [frame] = signed(pattern, ["hello"]).slice(-1) as [Buffer];
      expect(await inspect([frame], ...ASK)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("accepted"),
      });
    }
  });

  test("told the socket and its hops, it reads as that socket does", async () => {
    const frames = [Buffer.from("id"), Buffer.from("broker"), ...signed("dealer", ["hello"])];
    const { code, json } = await inspectJson(frames, ...ASK, "--pattern", "router", "--hops", "1");
    expect(code).toBe(0);
    expect(json.receiver).toStrictEqual({ pattern: "router", hops: 1, assumed: false });
  });
});

describe("a message that a verifier refuses", () => {
  const frames = signed("push", ["hello", "world"]);
  const [frame] = frames as [Buffer];

  test("any changed byte: bad-signature, and what it was checked for", async () => {
    const changed = Buffer.from(frame);
    changed[changed.length - 1] = 0;
    const { code, stdout } = await inspect([changed], ...ASK);
    expect(code).toBe(1);
    expect(stdout).toContain("Verdict  refused: bad-signature\n");
    expect(stdout.replace(/\s+/g, " ")).toContain(`Checked with key ${KEY.idText} for channel "shell".`);
  });

  test("another channel, or none: the channel is named as what to look at", async () => {
    const other = await inspect(frames, "--key", KEYS, "--channel", "iopub");
    expect(other.stdout.replace(/\s+/g, " ")).toContain('for channel "iopub"');
    const none = await inspect(frames, "--key", KEYS);
    expect(none.stdout.replace(/\s+/g, " ")).toContain("the default channel (none was given: --channel)");
    expect([other.code, none.code]).toStrictEqual([1, 1]);
  });

  test("another key: which one it names, and which ones there are", async () => {
    const other = new Key(generateKey());
    const { code, stdout } = await inspect(frames, "--key", keyFile("other.json", new Keyring([other])));
    expect(code).toBe(1);
    expect(stdout).toContain("refused: unknown-key");
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `names key ${KEY.idText}; ${scratch}/other.json holds ${other.idText}.`,
    );
  });

  test("a key that is good for others", async () => {
    const path = keyFile("scoped.json", new Keyring([KEY.withTerms({ senders: ["bob"] })]));
    const { json } = await inspectJson(frames, "--key", path, "--channel", "shell");
    expect(json.verdict).toMatchObject({ answer: "refused", reason: "key-out-of-scope" });
    expect(json.verdict.explanation[1]).toContain("others than sender alice");
  });

  test.each([
    ["one's own", [...ASK, "--sender", "alice"], signed("pair", ["hello"]), "reflected", "both are PAIRs"],
    [
      "another pattern",
      ["--pattern", "pair"],
      frames,
      "wrong-pattern",
      "signed by a PUSH, which a PAIR never hears",
    ],
    [
      "a delimiter put in",
      [],
      [Buffer.from("id"), Buffer.alloc(0), ...signed("dealer", ["x"])],
      "wrong-envelope",
      "delimiter",
    ],
    ["a ROUTER that names nobody", ["--pattern", "dealer"], signed("dealer", ["x"]), undefined, ""],
  ])("%s", async (_, args, message, reason, words) => {
    const { code, json } = await inspectJson(message, ...args);
    expect(code).toBe(reason === undefined ? 0 : 1);
    expect(json.verdict.reason).toBe(reason);
    expect(json.verdict.explanation.join(" ")).toContain(words);
  });

  test("a place where this socket looks for no signature: where it would, and where one stands", async () => {
    const { code, stdout } = await inspect(
      [Buffer.from("id"), ...signed("dealer", ["x"])],
      "--pattern",
      "router",
      "--hops",
      "1",
    );
    expect(code).toBe(1);
    expect(stdout).toContain("refused: unsigned");
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "A ROUTER with 1 hop expects it as frame 3; frame 2 of 2 begins like one.",
    );
  });
});

describe("what is not a signed message", () => {
  test("frames without a signature are listed", async () => {
    const { code, stdout } = await inspect([Buffer.from("kernel"), Buffer.from([0xff, 0])]);
    expect(code).toBe(1);
    expect(stdout).toContain('Captured  2 frames\n  1  6 B  "kernel"\n  2  2 B  ff 00\n');
    expect(stdout).toContain("refused: unsigned");
    expect(stdout).not.toContain("subscription");
  });

  test("a subscription is told from the rest", async () => {
    expect((await inspect([Buffer.from("\x01topic")])).stdout).toContain("looks like a subscription");
  });

  test("a REP's fixed refusal", async () => {
    const { code, stdout } = await inspect([Buffer.from([0xc1, 0x53, 1, 7, 0, 4, 0, 0])]);
    expect(code).toBe(1);
    expect(stdout).toContain(REASONS.refused.slice(0, 40));
  });
});

describe("what a capture lacks is asked for, with exit code 2", () => {
  const [sub] = signed("pub", ["topic", "x"]).slice(1) as [Buffer];
  const [detached] = signed("push", ["x"], { limits: { inline: 0 } }) as [Buffer];
  const [toBob] = signed("router", ["id", "x"], {}, "bob").slice(1) as [Buffer];
  const { answer } = conversation("rep");

  test.each([
    ["the topic", [sub], [], "The topic is missing"],
    ["the body", [detached], [], "The body is missing"],
    ["the recipient", [toBob], [], "whose name is not in the message"],
    ["the request", answer, ["--sender", "bob"], "It answers one request, whose tag is not in the message"],
  ])("%s", async (_, frames, args, advice) => {
    const { code, json } = await inspectJson(frames, ...ASK, ...args);
    expect(json.verdict.answer).toBe("undecided");
    expect(json.verdict.explanation.join(" ")).toContain(advice);
    expect(code).toBe(2);
    const { code: unasked, json: form } = await inspectJson(frames);
    expect({ unasked, answer: form.verdict.answer }).toStrictEqual({ unasked: 0, answer: "well-formed" });
  });
});

describe("keys", () => {
  test("a device's key says who receives", async () => {
    const path = keyFile("bob.json", new Keyring([deriveSenderKey(KEY, "bob")]));
    const frames = signed("router", ["id", "x"], {}, "bob").slice(1);
    expect(await inspect(frames, "--key", path, "--channel", "shell")).toMatchObject({ code: 0 });
  });

  test("a device's key shows what the device itself has sent", async () => {
    const path = keyFile("alice.json", new Keyring([deriveSenderKey(KEY, "alice")]));
    expect(await inspect(signed("pair", ["x"]), "--key", path, "--channel", "shell")).toMatchObject({
      code: 0,
    });
  });

  test("a subscriber's key says on which channel", async () => {
    const path = keyFile("sub.json", new Keyring([deriveStreamKey(KEY, "alice", "shell")]));
    expect(await inspect(signed("pub", ["t", "x"]), "--key", path)).toMatchObject({ code: 0 });
    expect(await inspect(signed("pub", ["t", "x"], { sender: "eve" }), "--key", path)).toMatchObject({
      code: 1,
    });
  });

  test.each([
    ["no file", "nowhere.json", "It does not exist"],
    ["no key file", join(scratch, "plain"), "it is not JSON"],
  ])("%s: exit code 2", async (_, path, advice) => {
    writeFileSync(join(scratch, "plain"), "hello", { mode: 0o600 });
    expectFailure(await inspect(signed("pair", ["x"]), "--key", path), advice);
  });
});

describe("which frame is the signature", () => {
  const spoof = signed("pair", ["spoof"]);

  test("a routing id that looks like one: told the pattern, the right one is looked at", async () => {
    const frames = [...spoof, ...signed("dealer", ["real"])];
    const told = await inspectJson(frames, ...ASK, "--pattern", "router");
    expect(told.json.signature).toMatchObject({ frame: 2, pattern: "dealer" });
    expect(told.json.verdict.answer).toBe("accepted");
    const untold = await inspectJson(frames);
    expect(untold.json.verdict.explanation.join(" ")).toContain(
      "Frames 1, 2 begin like a signature frame; frame 1 was taken.",
    );
  });

  test("one whose header reads well comes before one that only begins like it", async () => {
    const { json } = await inspectJson([Buffer.from([0xc1, 0x53, 9]), ...signed("dealer", ["real"])]);
    expect(json.signature).toMatchObject({ frame: 2, pattern: "dealer" });
  });
});

describe("what comes from outside does not drive the terminal", () => {
  const hostile = [
    "\x1b[2J\x1b]0;owned\x07",
    "\u009b31m",
    "a\rb\bc",
    "\u202egnp.exe",
    "שלום",
    "e\u0301\u0301\u0301",
    "\u200b\ufeff\u2028",
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come out
  const OBEYED = /[\p{Cf}\p{M}\p{Zl}\p{Script=Hebrew}\x00-\x09\x0b-\x1f\x7f-\x9f]/u;

  test.each([[[]], [["--json"]]])("topics, ids and bodies are shown in escapes %j", async (args) => {
    const { stdout } = await inspect(signed("pub", hostile), ...args);
    expect(stdout).not.toMatch(OBEYED);
    expect(stdout.length).toBeGreaterThan(500);
  });

  test("the sender's name of a malformed header", async () => {
    const frame = Buffer.from((signed("push", ["x"]) as [Buffer])[0]);
    frame.write("\x1b[2J\x9b", 40, "latin1");
    const { stdout } = await inspect([frame]);
    expect(stdout).toContain("\\x1b[2J\\x9b");
    expect(stdout).not.toMatch(OBEYED);
  });

  test("harmless text stays as it is", async () => {
    const { stdout } = await inspect(
      signed("push", ["Grüße, Ελλάδα, 日本 🙂", '{"a":"b\\n"}', 'it\'s "both"']),
    );
    expect(stdout).toContain('"Grüße, Ελλάδα, 日本 🙂"');
    expect(stdout).toContain('\'{"a":"b\\\\n"}\'');
    expect(stdout).toContain('"it\'s \\"both\\""');
  });
});

describe("much", () => {
  test("long bodies and many frames are shown by their beginnings", async () => {
    const many = Array.from({ length: 1000 }, (_, i) => `frame ${i}`);
    const { code, stdout } = await inspect(signed("push", ["long ".repeat(10_000), ...many]), ...ASK);
    expect(code).toBe(0);
    expect(stdout).toContain("50,000 B");
    expect(stdout).toContain("and 969 more frames\n");
    expect(stdout.split("\n").length).toBeLessThan(60);
  });

  test("a count of 65,536 frames in JSON", async () => {
    const frames = signed("push", new Array(65_536).fill("x"), { limits: { inline: Infinity } });
    const { code, json } = await inspectJson(frames, ...ASK);
    expect(code).toBe(0);
    expect(json.messages[0].frames).toHaveLength(65_536);
  });
});

describe("JSON", () => {
  test("says the same as the text", async () => {
    const [frame] = signed("push", ["hello"], { sender: "json" }) as [Buffer];
    const { json } = await inspectJson([frame], ...ASK);
    expect(json).toMatchObject({
      frames: 1,
      signature: {
        frame: 1,
        bytes: frame.length,
        kind: "data",
        flags: ["inline"],
        pattern: "push",
        keyId: KEY.idText,
        ordinal: 0,
        sequence: 1,
        sender: "json",
        tag: frame.toString("hex", 44, 76),
      },
      faults: [],
      layout: "inline",
      routing: [],
      messages: [{ sequence: 1, frames: [{ bytes: 5, hex: "68656c6c6f", preview: '"hello"' }] }],
      receiver: { pattern: "pull", hops: 0, assumed: true },
      verdict: { answer: "accepted" },
    });
    const sentAt = new Date(json.signature.sentAt / 1000).toISOString().slice(0, 23);
    expect(json.signature.sentAtDate).toMatch(new RegExp(`^${sentAt}\\d{3}Z$`));
  });
});

describe("options that do not go together, and values that are none", () => {
  test.each([
    [["--channel", "x"], "--channel is for a verifier, which needs keys too: --key FILE."],
    [["--sender", "x"], "--sender is for a verifier"],
    [["--request-tag", "00"], "--request-tag is for a verifier"],
    [[...ASK, "--request-tag", "00"], "a tag has 32 bytes (64 digits); this one has 1."],
    [[...ASK, "--request-tag", "xy"], '--request-tag, column 1: expected hexadecimal digits, found "x".'],
    [[...ASK, "--sender", "a b"], "--sender must be a name"],
    [["--key", KEYS, "--channel", "x".repeat(256)], "channel must be a text"],
    [["--pattern", "ruoter"], "Did you mean router?"],
    [["--pattern", "push"], 'no socket that receives is called "push"'],
    [["--hops", "-1"], "--hops needs a value"],
    [["--hops=256"], '--hops must be a whole number from 0 to 255; got "256".'],
    [["--hops", "1.5"], "--hops must be a whole number"],
    [["file", "--frame", "00"], "either in file or by --frame, not both"],
    [["--frame", "0"], "--frame 1: 1 hexadecimal digits are no whole bytes"],
    [["--frame", "00", "--frame", "0g"], '--frame 2, column 2: expected hexadecimal digits, found "g".'],
    [["nowhere.hex"], "nowhere.hex cannot be read: ENOENT"],
    [[scratch], "cannot be read: EISDIR"],
  ])("%j", async (args, advice) => {
    const outcome = await countersign(["inspect", ...args], { input: "00" });
    expect(outcome.stderr).toContain(advice);
    expectFailure(outcome, "");
  });
});
