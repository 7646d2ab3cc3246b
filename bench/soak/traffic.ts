// What the soak sends: the message of any index, made from the seed alone, so that the receiver can compare what it
// was handed with what must have been sent. One to four frames, some of them empty, under one of three topics.

import { random } from "./random.js";

export const names = { sender: "soak-sender", receiver: "soak-receiver" } as const;
export const topics = ["soak.a", "soak.b", "soak.c"].map((topic) => Buffer.from(topic));
/** Subscribes to all of them. */
export const topicPrefix = "soak.";

/** What both ends sign with. Bodies up to 192 bytes go inline, so that both layouts are used. */
export const signing = (key: Uint8Array) => ({ key, channel: "soak", limits: { inline: 192 } });

/** What precedes the messages that count: an empty last frame, which none of those has, marks it. */
export const probe = [Buffer.from("probe"), Buffer.alloc(0)];
export const isProbe = (body: readonly Buffer[]) => body.at(-1)!.length === 0;

export const replayWindow = 256;

const POOL = 65_536;

export interface Traffic {
  topicOf(index: number): Buffer;
  bodyOf(index: number): Buffer[];
  /** The index that a body claims, or undefined where it is not exactly the body of that index. */
  indexOf(body: readonly Buffer[]): number | undefined;
}

export function makeTraffic(seed: number): Traffic {
  const next = random(seed);
  const pool = Buffer.from(Array.from({ length: POOL }, () => Math.floor(next() * 256)));
  const byte = (index: number, salt: number) => pool[(index * 31 + salt * 7_919) % POOL]!;

  const bodyOf = (index: number) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(index);
    const frames = [number];
    for (let extra = byte(index, 1) % 4; extra > 0; extra--) {
      const length = extra > 1 && byte(index, extra) < 32 ? 0 : 1 + byte(index, 10 + extra);
      const at = (index * 131 + extra * 17) % (POOL - 256);
      frames.push(pool.subarray(at, at + length));
    }
    return frames;
  };
  return {
    topicOf: (index) => topics[byte(index, 2) % topics.length]!,
    bodyOf,
    indexOf: (body) => {
      const index = body[0]?.length === 4 ? body[0].readUInt32BE() : -1;
      const expected = bodyOf(index);
      const same = body.length === expected.length && body.every((frame, i) => frame.equals(expected[i]!));
      return index >= 0 && same ? index : undefined;
    },
  };
}
