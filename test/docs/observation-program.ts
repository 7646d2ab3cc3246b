// The program of docs/observation.md, block by block; observation.test.ts runs it and compares it with the page.

import { subscribe } from "node:diagnostics_channel";
import { type Gap, generateKey, type Origin, Pair, type Rejection } from "countersign";
import * as zmq from "zeromq";

const key = generateKey();
const inbox = new zmq.Pair(); // what the network takes from the sender…
const outbox = new zmq.Pair(); // …and what it hands to the receiver
await inbox.bind("tcp://127.0.0.1:*");

const receiver = new Pair({
  signing: {
    key,
    channel: "jobs",
    onReject: ({ reason, authentic, claimed }) => {
      const name = claimed?.sender ?? "nobody";
      console.log(`refused: ${reason}, ${authentic ? "from" : "as if from"} ${name}`);
    },
    onGap: ({ sender, lost }) => console.log(`lost: ${lost} from ${sender}`),
  },
});
await receiver.bind("tcp://127.0.0.1:*");
outbox.connect(receiver.lastEndpoint as string);

const sender = new Pair({ signing: { key, channel: "jobs", sender: "press" } });
sender.connect(inbox.lastEndpoint as string);

const recorded: Buffer[][] = [];
for (const job of ["first", "second", "third", "fourth", "fifth"]) {
  await sender.send(job);
  recorded.push(await inbox.receive());
}
const [first, second, , fourth, fifth] = recorded as [Buffer[], Buffer[], Buffer[], Buffer[], Buffer[]];
const altered = [Buffer.from(second[0] as Buffer)];
altered[0]?.write("!", altered[0].length - 1); // the last byte of the body

for (const message of [first, first, altered, ["hello"], fourth, fifth]) await outbox.send(message);
for (let i = 0; i < 3; i++) console.log(`delivered: ${await receiver.receive()}`);

const { accepted, unsigned, rejected, gaps, lost, streams, sent, queued } = receiver.stats;
console.log({ accepted, unsigned, gaps, lost, streams, sent, queued });
console.log(Object.entries(rejected).filter(([, count]) => count > 0));
console.log(sender.stats.sent);

const told: string[] = [];
subscribe("countersign:accepted", (message) => {
  const { sender, sequence } = message as Origin;
  told.push(`accepted ${sender} ${sequence}`);
});
subscribe("countersign:rejected", (message) => {
  const { reason, channel } = message as Rejection;
  told.push(`rejected ${reason} on ${channel}`);
});
subscribe("countersign:gap", (message) => {
  const { sender, lost } = message as Gap;
  told.push(`gap of ${lost} from ${sender}`);
});

for (const job of ["sixth", "seventh", "eighth"]) await sender.send(job);
const [sixth, , eighth] = [await inbox.receive(), await inbox.receive(), await inbox.receive()];
for (const message of [sixth, sixth, eighth]) await outbox.send(message);
for (let i = 0; i < 2; i++) console.log(`delivered: ${await receiver.receive()}`);
console.log(told.join("\n"));

for (const socket of [sender, inbox, outbox, receiver]) socket.close();
