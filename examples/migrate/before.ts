// A plain zeromq.js job queue, as it might stand in any service.
import { Pull, Push } from "zeromq";

const queue = new Push({ sendHighWaterMark: 100 });
await queue.bind("tcp://127.0.0.1:*");
const worker = new Pull();
worker.connect(queue.lastEndpoint as string);

for (const job of ["resize", "crop", "stop"]) await queue.send([job, Buffer.from("picture")]);

for await (const [job, picture] of worker) {
  console.log(`${job} ${picture?.length} bytes`);
  if (String(job) === "stop") break;
}
worker.close();
queue.close();
