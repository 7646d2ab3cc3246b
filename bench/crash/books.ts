// What was sent, what was heard, and what became of the rest.

import { type Role, readJournal, roles } from "./stage.js";

/** One kill, and when messages arrived again; milliseconds since 1970. */
export interface Kill {
  readonly victim: Role;
  readonly at: number;
  readonly wellAt: number;
}

export interface Books {
  /** How often each was killed. */
  readonly kills: Readonly<Record<Role, number>>;
  /** Messages that ZeroMQ took. */
  readonly sent: number;
  readonly delivered: number;
  readonly twice: number;
  /** Delivered, and never given to `send`. */
  readonly invented: number;
  /** Lost that were sent around a kill. */
  readonly lostToKills: number;
  readonly lostOtherwise: number;
  /** Numbers of epochs that were heard, between the first and the last heard, that nobody heard. */
  readonly skipped: number;
}

/** A message that ZeroMQ took so many milliseconds before a kill may still have been on its way. */
const ON_ITS_WAY = 500;

export function keepBooks(folder: string, kills: readonly Kill[]): Books {
  const told = readJournal(folder, "sender");
  const given = new Set(told.filter(([word]) => word === "will").map(([, name]) => name));
  const sent = told.filter(([word]) => word === "sent");
  const heard = readJournal(folder, "receiver");
  const delivered = new Set(heard.map(([, name]) => name));
  const lost = sent.filter(([, name]) => !delivered.has(name as string));
  const aroundKill = (at: number) => kills.some((kill) => at >= kill.at - ON_ITS_WAY && at <= kill.wellAt);
  const lostToKills = lost.filter(([, , at]) => aroundKill(Number(at))).length;
  const counted = roles.map((role) => [role, kills.filter(({ victim }) => victim === role).length] as const);
  return {
    kills: Object.fromEntries(counted) as Record<Role, number>,
    sent: sent.length,
    delivered: delivered.size,
    twice: heard.length - delivered.size,
    invented: [...delivered].filter((name) => !given.has(name)).length,
    lostToKills,
    lostOtherwise: lost.length - lostToKills,
    skipped: skippedIn(heard),
  };
}

function skippedIn(heard: readonly string[][]): number {
  const epochs = new Map<string, { first: number; last: number; count: number }>();
  for (const [, , epoch, sequence] of heard) {
    const number = Number(sequence);
    const held = epochs.get(epoch as string) ?? { first: number, last: number, count: 0 };
    const { first, last, count } = held;
    epochs.set(epoch as string, {
      first: Math.min(first, number),
      last: Math.max(last, number),
      count: count + 1,
    });
  }
  let skipped = 0;
  for (const { first, last, count } of epochs.values()) skipped += last - first + 1 - count;
  return skipped;
}
