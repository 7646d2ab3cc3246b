// The README's pictures by file name, drawn from what `npm run bench -- --json FILE` wrote.

import type { Latency } from "../latency.js";
import { type Machine, machineLine } from "../machine.js";
import type { Throughput } from "../throughput.js";
import { latencyPicture } from "./latency.js";
import { themes } from "./theme.js";
import { throughputPicture } from "./throughput.js";

/** As much of the file as pictures need. */
export interface Results {
  readonly machine: Machine;
  readonly throughput?: readonly Throughput[];
  readonly latency?: readonly Latency[];
}

/** Each picture that these results suffice for, in each theme: "throughput-light.svg" and so on. */
export function pictures({ machine, throughput = [], latency = [] }: Results): Map<string, string> {
  const drawn = new Map<string, string>();
  for (const [name, theme] of Object.entries(themes)) {
    const [bars, dots] = [
      throughputPicture(throughput, machineLine(machine), theme),
      latencyPicture(latency, machineLine(machine), theme),
    ];
    if (bars) drawn.set(`throughput-${name}.svg`, bars);
    if (dots) drawn.set(`latency-${name}.svg`, dots);
  }
  return drawn;
}
