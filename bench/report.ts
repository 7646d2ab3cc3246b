// What the benchmark prints: one table a pattern, every variant in a column, its messages a second and what that is
// of plain zeromq.js, as medians with the range of all rounds.

import { cpus, loadavg } from "node:os";
import { version as libzmq } from "zeromq";
import { patternTitles, sizeTitle } from "./cases.js";
import type { Crowd } from "./crowd.js";
import type { Engines } from "./engines.js";
import type { Micro } from "./micro.js";
import type { Readiness } from "./ready.js";
import type { Summary } from "./statistics.js";
import type { Throughput } from "./throughput.js";
import { variants } from "./variants/table.js";
import type { WorkersResult } from "./workers.js";

const LABEL = 24;
const COLUMN = 19;

export function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    node: process.version,
    libzmq,
    date: new Date().toISOString(),
    /** Processes that wanted to run in the last minute: where others did, medians mean little. */
    load: loadavg()[0]!,
  };
}

export function machineLine({ processor, cores, node, libzmq, load }: ReturnType<typeof machine>): string {
  return `${processor}, ${cores} cores, Node ${node}, libzmq ${libzmq}; load before the run ${load.toFixed(1)}`;
}

export function throughputTables(results: readonly Throughput[]): string {
  const patterns = [...new Set(results.map(({ pattern }) => pattern))];
  return patterns
    .map((pattern) => {
      const own = results.filter((each) => each.pattern === pattern);
      const columns = [...new Set(own.map(({ variant }) => variant))];
      const heading = row(
        patternTitles[pattern],
        columns.map((variant) => variants[variant].title),
      );
      return [heading, rule(heading), ...groupByCase(own).flatMap(caseRows)].join("\n");
    })
    .join("\n\n");
}

function groupByCase(results: readonly Throughput[]): Throughput[][] {
  const groups = new Map<string, Throughput[]>();
  for (const result of results) {
    const key = `${result.bytes}/${result.frames}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()];
}

function caseRows(group: Throughput[]): string[] {
  const { bytes, frames } = group[0]!;
  const title = `${sizeTitle(bytes)} in ${frames === 1 ? "1 frame" : `${frames} frames`}`;
  return [
    row(
      title,
      group.map(({ rate }) => `${integer(rate.median)}/s`),
    ),
    row(
      "",
      group.map(({ ratio }) => range(ratio)),
    ),
  ];
}

const integer = (value: number) => Math.round(value).toLocaleString("en-US");

const range = ({ median, min, max }: Summary) =>
  min === max ? median.toFixed(2) : `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;

export function microTable(micro: readonly Micro[]): string {
  const heading = row("64 B, no socket", ["µs a message", "of the bare HMAC"]);
  const rows = micro.map(({ action, micros, ratio }) => row(action, [range(micros), range(ratio)]));
  return [heading, rule(heading), ...rows].join("\n");
}

export function enginesTable({ ways, lengths, crossovers }: Engines): string {
  const heading = row("one MAC, CPU µs", ways);
  const rows = lengths.map(({ bytes, micros }) =>
    row(
      `${integer(bytes)} B`,
      micros.map(({ median, min }) => `${median.toFixed(2)} (${min.toFixed(2)}–)`),
    ),
  );
  const places = crossovers.map(({ faster, than, from }) =>
    from === undefined
      ? `${faster} overtakes ${than} nowhere`
      : `${faster} overtakes ${than} at ${integer(from)} bytes`,
  );
  return [heading, rule(heading), ...rows, "", ...places].join("\n");
}

export function memoryTable(crowds: readonly Crowd[]): string {
  const heading = row("verifier's memory", ["bytes", "bytes a sender", "µs a verify"]);
  const rows = crowds.map(({ senders, bytes, micros }) =>
    row(`${integer(senders)} sender${senders === 1 ? "" : "s"}`, [
      integer(bytes),
      integer(bytes / senders),
      micros.median.toFixed(1),
    ]),
  );
  return [heading, rule(heading), ...rows].join("\n");
}

export function workersTable(results: readonly WorkersResult[]): string {
  const heading = row("workers behind one broker", [
    "one Redis",
    "a memory each",
    "ratio",
    "delivered",
    "twice",
  ]);
  const rows = results.map(({ workers, messages, shared, memory, delivered, twice }) =>
    row(`${workers} workers`, [
      `${integer(shared)}/s`,
      `${integer(memory)}/s`,
      (shared / memory).toFixed(2),
      `${integer(delivered)} of ${integer(messages)}`,
      integer(twice),
    ]),
  );
  const replays = results.map(({ workers, refused }) => `${integer(refused)} with ${workers}`).join(", ");
  return [
    heading,
    rule(heading),
    ...rows,
    "",
    `Handed to another worker as well, and refused: ${replays}.`,
  ].join("\n");
}

export function readyTable({ joins, millis, delivered, recordings, repeated }: Readiness): string {
  return [
    `A subscriber that joins late, ${joins} times: ready after ${range(millis)} ms.`,
    `${integer(delivered)} messages delivered; ${integer(repeated)} recordings repeated on the way, ${recordings} of them delivered.`,
  ].join("\n");
}

const rule = (heading: string) => "-".repeat(heading.length);

function row(label: string, cells: readonly string[]): string {
  return label.padEnd(LABEL) + cells.map((cell) => cell.padStart(COLUMN)).join("");
}
