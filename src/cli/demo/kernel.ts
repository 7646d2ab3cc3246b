// The kernel: evaluates code cells that come over shell, answers there, publishes what they print over iopub.

import { createContext, runInContext } from "node:vm";
import { CLIENTS, type Receiver } from "./cast.js";
import { decode, encode, type Note, type Order, onOrder, PROBE, report } from "./script.js";
import { countersOf, kernelIopub, kernelShell, reportDelivered } from "./stage.js";

const shell = kernelShell();
const iopub = kernelIopub();
const printed: string[] = [];
const context = createContext({ print: (...texts: unknown[]) => printed.push(texts.join(" ")) });
let notes = 0;

function evaluate(code: string): string {
  try {
    return String(runInContext(code, context, { timeout: 500 }));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

function noteTo(re: string, text: string): Note {
  notes++;
  return { id: `kernel-${notes}`, re, text };
}

async function serve(id: Buffer, request: Note): Promise<void> {
  const to = id.toString() as Receiver;
  const result = evaluate(request.text);
  for (const text of printed.splice(0)) {
    const output = noteTo(request.id, text);
    report({ report: "sent", channel: "iopub", to, note: output });
    await iopub.send([`stream.${to}`, encode(output)]);
  }
  const reply = noteTo(request.id, result);
  report({ report: "sent", channel: "shell", to, note: reply });
  await shell.send([id, encode(reply)]);
}

async function obey({ order }: Order): Promise<void> {
  if (order === "stats") report({ report: "stats", counters: { shell: countersOf(shell) } });
  if (order !== "probe") return;
  for (const client of CLIENTS) await iopub.send([`stream.${client}`, encode({ id: PROBE, text: "" })]);
}

onOrder(obey);
await shell.bind("tcp://127.0.0.1:*");
await iopub.bind("tcp://127.0.0.1:*");
report({ report: "ready", shell: shell.lastEndpoint as string, iopub: iopub.lastEndpoint as string });

for await (const message of shell) {
  const id = message[0] as Buffer;
  const request = decode(reportDelivered("shell", message, 1, id.toString()));
  if (request !== undefined) await serve(id, request);
}
