// A signed broadcast with topics: the subscriber knows who spoke, under which topic, and what it missed.
import { setTimeout as sleep } from "node:timers/promises";
import { deriveStreamKey, generateKey, Publisher, Subscriber } from "countersign";

const key = generateKey();
const publisher = new Publisher({ linger: 0, signing: { key, sender: "weather", channel: "readings" } });
await publisher.bind("tcp://127.0.0.1:*");

// The subscriber gets the key of this one stream: with it nobody can speak as another sender or on another channel.
const streamKey = deriveStreamKey(key, "weather", "readings");
const subscriber = new Subscriber({
  signing: {
    key: streamKey,
    channel: "readings",
    onGap: ({ topic, lost }) => console.log(`missed ${lost} under ${topic}`),
  },
});
subscriber.connect(publisher.lastEndpoint as string);
subscriber.subscribe("rome");
await sleep(200); // PUB drops what nobody has subscribed to yet

await publisher.send(["rome", "21.5"]);
await publisher.send(["oslo", "9.0"]); // not subscribed to: no gap
await publisher.send(["rome.airport", "22.0"]);
for (let i = 0; i < 2; i++) {
  const message = await subscriber.receive();
  const [topic, reading] = message;
  console.log(`${message.origin.sender} says, number ${message.origin.sequence}: ${topic} ${reading}`);
}
console.log(`delivered ${subscriber.stats.accepted}, missed ${subscriber.stats.lost}`);

subscriber.close();
publisher.close();
