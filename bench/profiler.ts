// A CPU profile of this process, summed up by what the time went to: for `npm run bench -- profile`.

import { Session } from "node:inspector/promises";

/** What a process does with a message, in the order of the table. */
export const parts = [
  "zeromq.js and libzmq",
  "MAC",
  "header and layout",
  "keys, numbers, origin",
  "live and new",
  "queue and loop",
  "Node: buffers, promises",
  "garbage collection",
  "the bench itself",
] as const;
export type Part = (typeof parts)[number];
/** Microseconds of this thread by part. */
export type Shares = Readonly<Record<Part, number>>;

const INTERVAL_MICROS = 100;

let session: Session | undefined;

export async function startProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROS });
  await session.post("Profiler.start");
}

export async function stopProfile(): Promise<Shares> {
  const { profile } = await session!.post("Profiler.stop");
  session!.disconnect();
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const shares = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
  for (const [i, id] of profile.samples!.entries()) {
    const { functionName, url } = frames.get(id)!;
    const part = partOf(functionName, url);
    if (part !== undefined) shares[part] += profile.timeDeltas![i]!;
  }
  return shares;
}

/**
 * By file. What is native has none: Node's hashes by their names; the rest is nearly all zeromq.js's, whose time also stands
 * under the line that calls it.
 */
function partOf(name: string, url: string): Part | undefined {
  // "dispatch" is the profiler itself.
  if (name === "(idle)" || name === "dispatch") return undefined;
  if (name === "(garbage collector)") return "garbage collection";
  if (/\/dist\/crypto\/|^wasm:|^node:internal\/crypto/.test(url)) return "MAC";
  if (url === "") return /digest|^hash|^update$/i.test(name) ? "MAC" : "zeromq.js and libzmq";
  if (/\/dist\/wire\//.test(url)) return "header and layout";
  if (/\/dist\/(session|keys|clock)/.test(url)) return "keys, numbers, origin";
  if (/\/dist\/(replay|admission)\//.test(url)) return "live and new";
  if (/\/zeromq\/|\/dist\/sockets\/secured\.js$/.test(url)) return "zeromq.js and libzmq";
  if (/\/dist\/sockets\//.test(url)) return "queue and loop";
  if (/\/bench\//.test(url)) return "the bench itself";
  return "Node: buffers, promises";
}
