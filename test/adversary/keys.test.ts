// Keys that are none, key files that others can read, and a flood of names: what must not even begin.

import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as countersign from "countersign";
import { exportJwks, generateKey, Key, Keyring, readKeyring } from "countersign";
import { describe, expect, it, onTestFinished } from "vitest";

import { type Forgery, Line } from "./attack.js";
import { handMade } from "./forge.js";
import { FLOWS, KEY, opened } from "./line.js";
import { flipped } from "./tamper.js";

const { Router, Dealer, Request, Reply, Publisher, Subscriber, XPublisher, XSubscriber, Push, Pull, Pair } =
  countersign;
const CLASSES = {
  Router,
  Dealer,
  Request,
  Reply,
  Publisher,
  Subscriber,
  XPublisher,
  XSubscriber,
  Push,
  Pull,
  Pair,
};
const NAMES = Object.keys(CLASSES) as (keyof typeof CLASSES)[];

const NO_KEYS: readonly (readonly [string, unknown])[] = [
  ["none", undefined],
  ["null", null],
  ["an empty one", Buffer.alloc(0)],
  ["a short one", Buffer.alloc(31, "secret")],
  ["32 zeros", Buffer.alloc(32)],
  ["64 times one byte", Buffer.alloc(64, 0x5a)],
  ['the word "undefined"', "undefined"],
  ["a text of 64 characters", "0123456789abcdef".repeat(4)],
  ["a number", 42],
  ["an array of numbers", [...KEY]],
  ["an object", { key: KEY }],
  ["an ArrayBuffer", new Uint8Array(KEY).buffer],
  ["a function that returns none", () => undefined],
  ["a promise of one", Promise.resolve(KEY)],
  ["a keyring of nothing", () => new Keyring([])],
  ["true", true],
];

describe.each(NAMES)("attack 38: %s", (name) => {
  const make = CLASSES[name] as unknown as new (options?: unknown) => countersign.Dealer;

  it.each(NO_KEYS)("a key that is %s", (_, key) => {
    expect(() => new make({ signing: { key } })).toThrow(countersign.CountersignError);
  });

  it("no signing at all", () => {
    expect(() => new make()).toThrow(countersign.CountersignError);
    expect(() => new make({})).toThrow(countersign.CountersignError);
    expect(() => new make({ signing: undefined })).toThrow(countersign.CountersignError);
    expect(() => new make({ signing: "please" })).toThrow(countersign.CountersignError);
  });

  it("32 bytes are enough", () => {
    opened(new make({ signing: { key: generateKey() } }));
  });
});

/** A key file in a folder that is gone after the test. */
function keyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "countersign-adversary-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "keys.json");
  writeFileSync(path, JSON.stringify(exportJwks(new Keyring([KEY]))), { mode: 0o600 });
  return path;
}

describe("attack 40: a key file", () => {
  const refused = (path: string, why: RegExp) => {
    const secret = KEY.toString("base64url");
    try {
      readKeyring(path);
    } catch (error) {
      const { code, message, stack } = error as countersign.CountersignError;
      expect(code).toBe("ERR_COUNTERSIGN_KEY_FILE");
      expect(message).toContain(path);
      expect(message).toMatch(why);
      expect(`${message}${stack}${JSON.stringify(error)}${String((error as Error).cause)}`).not.toContain(
        secret.slice(0, 8),
      );
      return;
    }
    expect.unreachable("the file was read");
  };

  it("is read when it is in order", () => {
    expect(readKeyring(keyFile()).keys[0]?.equals(new Key(KEY))).toBe(true);
  });

  it.each(["640", "604", "660", "666", "644", "610", "601", "620", "602", "777"])("of mode %s", (mode) => {
    const path = keyFile();
    chmodSync(path, Number.parseInt(mode, 8));
    refused(path, /chmod 600/);
  });

  it("that is a link, or no file", () => {
    const path = keyFile();
    symlinkSync(path, `${path}.link`);
    refused(`${path}.link`, /link/);
    refused(join(path, ".."), /not a regular file/);
    refused("/dev/null", /not a regular file/);
    refused(`${path}.nowhere`, /does not exist/);
  });

  it("that is a second name of one that is in order is the same file", () => {
    const path = keyFile();
    linkSync(path, `${path}.hard`);
    expect(readKeyring(`${path}.hard`).keys.length).toBe(1);
  });

  it("cut at any byte", () => {
    const path = keyFile();
    const { length } = JSON.stringify(exportJwks(new Keyring([KEY])));
    for (let cut = 0; cut < length; cut++) {
      copyFileSync(path, `${path}.cut`);
      truncateSync(`${path}.cut`, cut);
      refused(`${path}.cut`, /JSON/);
    }
  });

  it.each([
    "not JSON",
    "[]",
    "null",
    "{}",
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[null]}',
    '{"keys":[{"kty":"RSA"}]}',
    '{"keys":[{"kty":"oct"}]}',
    '{"keys":[{"kty":"oct","k":""}]}',
    '{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}',
    `{"keys":[{"kty":"oct","k":"${KEY.toString("base64url")}","alg":"none"}]}`,
    `{"keys":[{"kty":"oct","k":"${KEY.toString("base64url")}","alg":"HS1"}]}`,
    `{"keys":[{"kty":"oct","k":"${KEY.toString("base64url")}","exp":"never"}]}`,
    `{"keys":[{"kty":"oct","k":"${KEY.toString("base64url")}","senders":"alice"}]}`,
  ])("that holds something else: %#", (text) => {
    const path = keyFile();
    writeFileSync(path, text);
    refused(path, /./);
  });
});

const HEARING = FLOWS.filter(({ name }) =>
  /^(DEALER to ROUTER|PUSH to PULL|PUB to SUB|DEALER to REP)$/.test(name),
);

describe.each(HEARING)("attack 41: $name", (flow) => {
  it("20,000 forged names leave no state behind", async () => {
    const line = await Line.open(flow);
    await line.honest();
    const { streams } = line.ends.receiver.stats;
    const forgeries = Array.from(
      { length: 20_000 },
      (_, n): Forgery =>
        () => {
          const message = handMade(flow, { sender: `forged-${n}` }, ["x"]);
          return flipped(message, flow.signatureAt, 8 * (message[flow.signatureAt] as Buffer).length - 1);
        },
    );
    await line.refuses(
      forgeries,
      forgeries.map(() => "bad-signature" as const),
    );
    expect(line.ends.receiver.stats.streams).toBe(streams);
    // Three seconds by itself, more than thirty beside other work on two cores: only a hang takes longer than this.
  }, 120_000);

  it("3,000 authentic names take no more memory than is allowed", async () => {
    const line = await Line.open(flow, { receiver: { limits: { streams: 100, peers: 100 } } });
    const { attacker, inbox, receiver } = line.ends;
    attacker.hooks = { onMessage: (_, { direction }) => (direction === flow.direction ? undefined : "drop") };
    const connection = await attacker.connection(0);
    const before = receiver.stats.accepted;
    // One after the other: what was signed before a stream was evicted that was heard later would not be live.
    for (let n = 0; n < 3000; n++) {
      connection.inject(flow.direction, handMade(flow, { sender: `one-of-many-${n}` }, ["x"]));
      await inbox.next();
    }
    expect(receiver.stats.accepted).toBe(before + 3000);
    expect(receiver.stats.streams).toBe(100);
    if (flow.roundTrip) await attacker.caught("down", 3000);
    attacker.hooks = {};
    await line.honest();
  });
});
