// docs/observation.md: its program runs and prints what the page says, and its tables list what there is.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import { describe, expect, it, vi } from "vitest";
import {
  Dealer,
  type Forgotten,
  generateKey,
  identity,
  type Listeners,
  type Rejection,
  Signer,
  type Twin,
  Verifier,
} from "../../src/index.js";
import { REASONS } from "../../src/reasons.js";
import { CHANNELS, type Gap } from "../../src/session/observer.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(`${root}docs/observation.md`, "utf8");

/** The fenced blocks of one language, in order. */
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, block]) => block as string);

/** The first cells of every row of the table under a heading or sentence; names in code alone. */
function firstCells(above: string, column = 0): string[] {
  const table = text.slice(text.indexOf(above)).split("\n\n| ")[1]?.split("\n\n")[0] ?? "";
  return table
    .split("\n")
    .slice(2)
    .flatMap((line) =>
      [...(line.split(" | ")[column]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, name]) => name as string),
    );
}

describe("the program of docs/observation.md", () => {
  it("stands in test/docs/observation-program.ts, where it is compiled", () => {
    const program = readFileSync(`${root}test/docs/observation-program.ts`, "utf8");
    expect(program.slice(program.indexOf("\n\n") + 2)).toBe(blocks("ts").join("\n"));
  });

  it("prints what the page says", async () => {
    let printed = "";
    const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
      printed += `${formatWithOptions({ colors: false }, ...values)}\n`;
    });
    await import("./observation-program.js");
    log.mockRestore();
    expect(printed).toBe(blocks("text").join(""));
  });
});

describe("the tables of docs/observation.md", () => {
  it("list every reason with its sentence, in order", () => {
    const table = text.slice(text.indexOf("## Reasons"));
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \| (.+?) \| /gm)].map(([, reason, meaning]) => [
      reason,
      (meaning as string).replaceAll("`", ""),
    ]);
    const sentences = Object.entries(REASONS).map(([reason, meaning]) => [
      reason,
      meaning.replaceAll("`", ""),
    ]);
    expect(rows).toEqual(sentences);
  });

  it("list every counter", () => {
    const dealer = new Dealer({ signing: { key: generateKey() } });
    dealer.close();
    expect(firstCells("queued: 0").sort()).toEqual(Object.keys(dealer.stats).sort());
  });

  it("list every diagnostics channel, and what it carries", () => {
    expect(firstCells("## Diagnostics channels")).toEqual(Object.values(CHANNELS).map(({ name }) => name));
    const { origin } = evidence();
    const fields = text
      .match(/its `Origin`: (.*) \|/)?.[1]
      ?.replaceAll("`", "")
      .split(", ");
    expect(fields).toEqual(Object.keys(origin));
  });

  it("list every field of a rejection and of a gap", () => {
    const { rejection, gap } = evidence();
    const { claimed } = rejection;
    expect(firstCells("A rejection:")).toEqual(Object.keys({ ...rejection, claimed }));
    const inClaimed = text
      .match(/where it could be read: (.*) \|/)?.[1]
      ?.replaceAll("`", "")
      .split(", ");
    expect(inClaimed).toEqual(Object.keys(claimed as object));
    expect(firstCells("A gap:").sort()).toEqual(Object.keys(gap).sort());
  });

  it("list every field of what the other end says", () => {
    const { forgotten, twin } = saidByTheOtherEnd();
    expect(firstCells("`signing.onForgotten(forgotten)`")).toEqual(Object.keys(forgotten));
    expect(firstCells("`signing.onTwin(twin)`")).toEqual(Object.keys(twin));
  });

  it("name every listener and every process warning", () => {
    const listeners: (keyof Listeners)[] = ["onReject", "onGap", "onForgotten", "onTwin"];
    for (const name of listeners) expect(text).toContain(`signing.${name}(`);
    const source = readFileSync(`${root}src/session/observer.ts`, "utf8");
    const codes = [...source.matchAll(/#warn\(\s*"([A-Z_]+)"/g)].map(([, code]) => `COUNTERSIGN_${code}`);
    expect(codes.length).toBe(2);
    for (const code of codes) expect(text).toContain(`\`${code}\``);
  });
});

/** What `onForgotten` and `onTwin` get. */
function saidByTheOtherEnd() {
  const { origin } = evidence();
  const told: { forgotten?: Forgotten; twin?: Twin } = {};
  const verifier = new Verifier({
    key: generateKey(),
    pattern: "dealer",
    onForgotten: (forgotten) => Object.assign(told, { forgotten }),
    onTwin: (twin) => Object.assign(told, { twin }),
  });
  verifier.tell({ forgotten: 1, twin: 2 }, origin);
  return told as Required<typeof told>;
}

/** One of each: an origin, a rejection, a gap. */
function evidence() {
  const key = generateKey();
  const rejections: Rejection[] = [];
  const gaps: Gap[] = [];
  const verifier = new Verifier({
    key,
    pattern: "sub",
    onReject: (rejection) => rejections.push(rejection),
    onGap: (gap) => gaps.push(gap),
  });
  const signer = new Signer({ key, pattern: "pub", sender: identity() });
  const [first, , third] = [1, 2, 3].map((number) => signer.sign(["topic", String(number)])) as Buffer[][];
  const verdict = verifier.verify(first as Buffer[]);
  verifier.verify(first as Buffer[]);
  verifier.verify(third as Buffer[]);
  if (!verdict.ok || verdict.origin === undefined) throw new Error("the first message is genuine");
  return { origin: verdict.origin, rejection: rejections[0] as Rejection, gap: gaps[0] as Gap };
}
