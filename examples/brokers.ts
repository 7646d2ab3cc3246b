// Through brokers that nobody trusts: plain zeromq sockets, no key. Ends sign and verify; `hops` says how many ids
// the ROUTER/DEALER broker adds to the envelope.
import { setTimeout as sleep } from "node:timers/promises";
import { Dealer, generateKey, Publisher, Router, Subscriber } from "countersign";
import * as zmq from "zeromq";

const key = generateKey();

/** A broker between two plain sockets; gives both addresses. */
async function broker(front: zmq.Socket, back: zmq.Socket): Promise<[string, string, zmq.Proxy]> {
  await front.bind("tcp://127.0.0.1:*");
  await back.bind("tcp://127.0.0.1:*");
  const proxy = new zmq.Proxy(front, back);
  proxy.run().catch((error) => console.error(error));
  const addressOf = (socket: zmq.Socket) => (socket as zmq.Router).lastEndpoint as string;
  return [addressOf(front), addressOf(back), proxy];
}

const [clients, workers, queue] = await broker(new zmq.Router(), new zmq.Dealer());
const client = new Dealer({ linger: 0, signing: { key, sender: "client", channel: "jobs" } });
client.connect(clients);
const worker = new Router({ linger: 0, signing: { key, sender: "worker", channel: "jobs", hops: 1 } });
worker.connect(workers);
await client.send("job 1");
const [viaBroker, fromClient, job] = (await worker.receive()) as Buffer[];
await worker.send([viaBroker as Buffer, fromClient as Buffer, `${job} done`]);
const answer = await client.receive();
console.log(`${answer.origin.sender} answers ${answer.origin.addressed ? "me" : "anybody"}: ${answer}`);

const [publishers, subscribers, forwarder] = await broker(new zmq.XSubscriber(), new zmq.XPublisher());
const publisher = new Publisher({ linger: 0, signing: { key, sender: "news", channel: "feed" } });
publisher.connect(publishers);
const subscriber = new Subscriber({ linger: 0, signing: { key, channel: "feed" } });
subscriber.connect(subscribers);
subscriber.subscribe("rome");
await sleep(300);
await publisher.send(["rome", "carnival"]);
const news = await subscriber.receive();
console.log(`${news.origin.sender} publishes ${news.join(": ")}`);

for (const socket of [client, worker, publisher, subscriber]) socket.close();
for (const proxy of [queue, forwarder]) proxy.terminate();
