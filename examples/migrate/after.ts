// A plain zeromq.js job queue, as it might stand in any service.
import { generateKey, Pull, Push } from "countersign";

const key = generateKey();
const queue = new Push({ sendHighWaterMark: 100, signing: { key, channel: "jobs" } });
await queue.bind("tcp://127.0.0.1:*");
const worker = new Pull({ signing: { key, channel: "jobs" } });
worker.connect(queue.lastEndpoint as string);

for (const job of ["resize", "crop", "stop"]) await queue.send([job, Buffer.from("picture")]);

for await (const [job, picture] of worker) {
  console.log(`${job} ${picture?.length} bytes`);
  if (String(job) === "stop") break;
}
worker.close();
queue.close();
