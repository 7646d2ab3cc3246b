// A client: has the kernel run cells over shell, and listens to what they print over iopub.

import { decode, encode, type Note, type Order, onOrder, PROBE, report, WINDOW } from "./script.js";
import { clientIopub, clientShell, countersOf, reportDelivered } from "./stage.js";

const name = process.argv[2] as string;
const shell = clientShell(name);
const iopub = clientIopub(name, WINDOW);
let probes = 0;

async function obey(order: Order): Promise<void> {
  if (order.order === "connect") {
    shell.connect(order.shell);
    iopub.connect(order.iopub);
    iopub.subscribe(`stream.${name}`);
    void listen();
    void hearReplies();
  } else if (order.order === "run") {
    const note: Note = { id: order.id, text: order.code };
    report({ report: "sent", channel: "shell", to: "kernel", note });
    await shell.send(encode(note));
  } else if (order.order === "stats") {
    report({ report: "stats", counters: { shell: countersOf(shell), iopub: countersOf(iopub, probes) } });
  }
}

async function hearReplies(): Promise<void> {
  for await (const message of shell) {
    const reply = decode(reportDelivered("shell", message, 0, "kernel"));
    if (reply?.re !== undefined) report({ report: "finished", id: reply.re, result: reply.text });
  }
}

async function listen(): Promise<void> {
  for await (const message of iopub) {
    if (decode(String(message[1]))?.id !== PROBE) reportDelivered("iopub", message, 1, "kernel");
    else if (probes++ === 0) report({ report: "subscribed" });
  }
}

onOrder(obey);
report({ report: "ready" });
