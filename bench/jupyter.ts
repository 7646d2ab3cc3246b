// `npm run bench -- jupyter`: encode + sign and verify + decode of Jupyter messages, plain and hardened, beside
// @nteract/messaging, which takes turns with both, and jupyter_client for scale. The time is the processor's, garbage
// collection included: what else runs on the machine shows less.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { decode, encode } from "@nteract/messaging/lib/wire-protocol.js";
import { type Dict, type Message, Session } from "countersign/jupyter";
import { type Summary, summarize } from "./statistics.js";

/** One message in one direction. */
export interface JupyterResult {
  readonly message: string;
  readonly action: "encode + sign" | "verify + decode";
  /** Microseconds a message, by way. */
  readonly nteract: Summary;
  readonly compatible: Summary;
  readonly hardened: Summary;
  /** The same as a share of @nteract/messaging's in the same round. */
  readonly compatibleRatio: Summary;
  readonly hardenedRatio: Summary;
  /** Microseconds that jupyter_client takes; `undefined` where it is not installed. */
  readonly jupyterClient: number | undefined;
}

export interface JupyterOptions {
  readonly rounds: number;
  progress(text: string): void;
}

interface Sample {
  readonly name: string;
  readonly type: string;
  readonly content: Dict;
  readonly buffers: readonly Buffer[];
  /** Messages a round. */
  readonly count: number;
}

const KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
const KB = 1024;
const WARM_UP = 3;
const FEWEST_ROUNDS = 15;

const SAMPLES: readonly Sample[] = [
  {
    name: "execute_request",
    type: "execute_request",
    content: {
      code: "import numpy as np\nnp.random.rand(3, 3)",
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: true,
      stop_on_error: true,
    },
    buffers: [],
    count: 4000,
  },
  {
    name: "1 MB display_data: 768 KB image, 4 buffers of 64 KB",
    type: "display_data",
    content: { data: { "image/png": randomBytes(576 * KB).toString("base64") }, metadata: {}, transient: {} },
    buffers: Array.from({ length: 4 }, () => randomBytes(64 * KB)),
    count: 20,
  },
  {
    name: "1 MB display_data: all of it in one buffer",
    type: "display_data",
    content: { data: {}, metadata: {}, transient: {} },
    buffers: [randomBytes(KB * KB)],
    count: 100,
  },
];

/** Measures every sample in both directions. */
export function measureJupyter({ rounds, progress }: JupyterOptions): JupyterResult[] {
  return SAMPLES.flatMap((sample) => {
    const scale = timesOfJupyterClient(sample);
    return measureSample(sample, Math.max(rounds, FEWEST_ROUNDS), progress, scale);
  });
}

function measureSample(
  sample: Sample,
  rounds: number,
  progress: JupyterOptions["progress"],
  scale: readonly [number, number] | undefined,
): JupyterResult[] {
  const { type, content, buffers, count, name } = sample;
  const client = new Session({ key: KEY, role: "client", version: "5.3" });
  const kernel = new Session({ key: KEY, role: "kernel" });
  const [sending, receiving] = [client.channel("shell"), kernel.channel("shell")];
  const times = Array.from({ length: 6 }, (): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    progress(`jupyter: ${name}, round ${round + 1} of ${rounds}`);
    // A message of its own each time: a tag that came twice would be a replay.
    const messages = () => Array.from({ length: count }, () => client.message(type, content, { buffers }));
    const ways = [
      () =>
        bothWays(
          messages().map(asNteract),
          (message) => encode(message, KEY),
          (frames) => decode(frames, KEY),
        ),
      () =>
        bothWays(
          messages(),
          (message) => client.serialize(message),
          (frames) => accepted(kernel.deserialize(frames)),
        ),
      () =>
        bothWays(
          messages(),
          (message) => sending.serialize(message),
          (frames) => accepted(receiving.deserialize(frames)),
        ),
    ];
    // Another one goes first each round: garbage of one is collected in the time of the next.
    for (let turn = 0; turn < ways.length; turn++) {
      const way = (((round + turn) % ways.length) + ways.length) % ways.length;
      const [encoding, decoding] = ways[way]!();
      if (round < 0) continue;
      times[way]!.push(encoding);
      times[ways.length + way]!.push(decoding);
    }
  }
  client.close();
  return (["encode + sign", "verify + decode"] as const).map((action, i) => {
    const [nteract, compatible, hardened] = times.slice(3 * i, 3 * i + 3) as [number[], number[], number[]];
    const ratio = (own: number[]) => summarize(own.map((time, round) => time / nteract[round]!));
    return {
      message: name,
      action,
      nteract: summarize(nteract),
      compatible: summarize(compatible),
      hardened: summarize(hardened),
      compatibleRatio: ratio(compatible),
      hardenedRatio: ratio(hardened),
      jupyterClient: scale?.[i],
    };
  });
}

/** The processor's microseconds a message to encode and to decode. */
function bothWays<In, Wire>(
  messages: readonly In[],
  encoding: (message: In) => Wire,
  decoding: (frames: Wire) => unknown,
): [number, number] {
  const [frames, encoded] = each(messages, encoding);
  const [, decoded] = each(frames, decoding);
  return [encoded, decoded];
}

/** What each came to, and the processor's microseconds each took. */
function each<In, Out>(given: readonly In[], action: (item: In) => Out): [Out[], number] {
  const results: Out[] = [];
  const before = process.cpuUsage();
  for (const item of given) results.push(action(item));
  const { user, system } = process.cpuUsage(before);
  return [results, (user + system) / given.length];
}

function asNteract(message: Message): Parameters<typeof encode>[0] {
  return { ...message, idents: [], buffers: message.buffers } as unknown as Parameters<typeof encode>[0];
}

function accepted(verdict: ReturnType<Session["deserialize"]>): void {
  if (!verdict.ok) throw new Error(`refused: ${verdict.detail}`);
}

const PYTHON = "/usr/bin/python3";
const PROGRAM = `
import json, sys, time
from jupyter_client.session import Session
sample = json.loads(sys.stdin.read())
key = sample["key"].encode()
sender, receiver = Session(key=key), Session(key=key)
buffers = [bytes(size) for size in sample["buffers"]]
messages = [sender.msg(sample["type"], sample["content"]) for _ in range(sample["count"])]
start = time.process_time()
frames = [sender.serialize(message)[1:] + buffers for message in messages]
serialized = time.process_time()
for each in frames: receiver.deserialize(each)
done = time.process_time()
print(json.dumps([(serialized - start) * 1e6 / len(frames), (done - serialized) * 1e6 / len(frames)]))
`;

/** Microseconds of serialize and of deserialize; `undefined` where jupyter_client is not installed. */
function timesOfJupyterClient({
  type,
  content,
  buffers,
  count,
}: Sample): readonly [number, number] | undefined {
  if (!existsSync(PYTHON)) return undefined;
  const order = { key: KEY, type, content, buffers: buffers.map(({ length }) => length), count };
  try {
    const input = JSON.stringify(order);
    const told = execFileSync(PYTHON, ["-W", "ignore", "-c", PROGRAM], { input, encoding: "utf8" });
    return JSON.parse(told);
  } catch {
    return undefined;
  }
}

/** What was measured, as a table. */
export function jupyterTable(results: readonly JupyterResult[]): string {
  const lines = ["CPU µs a message       @nteract   compatible          hardened            jupyter_client"];
  for (const name of new Set(results.map(({ message }) => message))) {
    lines.push(name);
    for (const result of results) if (result.message === name) lines.push(row(result));
  }
  return lines.join("\n");
}

function row({
  action,
  nteract,
  compatible,
  hardened,
  compatibleRatio,
  hardenedRatio,
  jupyterClient,
}: JupyterResult) {
  const cell = (time: Summary, ratio: Summary) => `${time.median.toFixed(1)} (${ratio.median.toFixed(2)})`;
  const scale = jupyterClient === undefined ? "not installed" : jupyterClient.toFixed(1);
  return (
    `  ${action.padEnd(18)}${nteract.median.toFixed(1).padStart(11)}   ` +
    `${cell(compatible, compatibleRatio).padEnd(20)}${cell(hardened, hardenedRatio).padEnd(20)}${scale}`
  );
}
