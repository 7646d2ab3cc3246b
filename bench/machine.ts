// What the figures were taken on.

import { cpus, loadavg } from "node:os";
import { version as libzmq } from "zeromq";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly libzmq: string;
  /** When the run began, ISO 8601. */
  readonly date: string;
  /** Processes that wanted to run in the minute before: where others did, medians mean little. */
  readonly load: number;
}

export function machine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    node: process.version,
    libzmq,
    date: new Date().toISOString(),
    load: loadavg()[0]!,
  };
}

export function machineLine({ processor, cores, node, libzmq, load }: Machine): string {
  return `${processor}, ${cores} cores, Node ${node}, libzmq ${libzmq}; load before the run ${load.toFixed(1)}`;
}
