// Topics as the tag covers them, and as they are counted. Whoever publishes says many things under one topic, so the last
// one is kept.

import { createHash } from "node:crypto";
import { lengthPrefixed } from "../wire/payload.js";

const PREFIX = 4;
const LONGEST_NAME = 64;

/** What is made of a topic. */
export interface KnownTopic {
  /** As the tag covers it: its length, then its bytes. A copy that nobody else has. */
  readonly covered: Buffer;
  /** What it is counted under. */
  readonly name: string;
}

/** Topics, one after another. */
export class Topics {
  #latest: KnownTopic = { covered: lengthPrefixed(Buffer.alloc(0)), name: topicName(Buffer.alloc(0)) };

  /** What is made of this topic. */
  of(topic: Buffer): KnownTopic {
    if (isCovered(topic, this.#latest.covered)) return this.#latest;
    this.#latest = { covered: lengthPrefixed(topic), name: topicName(topic) };
    return this.#latest;
  }
}

function isCovered(topic: Buffer, covered: Buffer): boolean {
  if (covered.length !== PREFIX + topic.length) return false;
  for (let i = 0; i < topic.length; i++) if (topic[i] !== covered[PREFIX + i]) return false;
  return true;
}

/** What a topic is counted under: itself, or the hash of a long one, so that no topic costs more than its share. */
export function topicName(topic: Buffer): string {
  if (topic.length <= LONGEST_NAME) return `topic ${topic.toString("latin1")}`;
  return `hash ${createHash("sha256").update(topic).digest("base64")}`;
}
