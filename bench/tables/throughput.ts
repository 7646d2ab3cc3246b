// One table for those that meet in the same way and send in the same way: a column a variant, two rows a case, its
// messages a second and what that is of plain zeromq.js.

import { meetingTitle, sizeTitle } from "../cases.js";
import type { Throughput } from "../throughput.js";
import { variants } from "../variants/table.js";
import { groupBy, integer, type Row, range, table } from "./table.js";

const sendings = { awaited: "each send awaited", windowed: "sends in a window" };

export function throughputTables(results: readonly Throughput[]): string {
  const groups = groupBy(results, (each) => `${meetingTitle(each)}, ${sendings[each.sending]}`);
  return [...groups].map(([title, own]) => `${title}\n${oneTable(own)}`).join("\n\n");
}

function oneTable(results: readonly Throughput[]): string {
  const columns = new Set(results.map(({ variant }) => variants[variant].title));
  const cases = groupBy(results, ({ bytes, frames }) => `${bytes}/${frames}`);
  return table("messages a second", [...columns], [...cases.values()].flatMap(caseRows));
}

function caseRows(group: readonly Throughput[]): Row[] {
  const { bytes, frames } = group[0]!;
  const rates = group.map(({ rate }) => integer(rate.median));
  const shares = group.map(({ ratio }) => range(ratio));
  return [
    [`${sizeTitle(bytes)} in ${frames === 1 ? "1 frame" : `${frames} frames`}`, rates],
    ["", shares],
  ];
}
