// What a user's ES module does: two sockets, one key, one message there and back.

import { Dealer, generateKey, Router } from "countersign";

const signing = { key: generateKey(), channel: "shell" };
const router = new Router({ linger: 0, signing: { ...signing, sender: "kernel" } });
const dealer = new Dealer({ linger: 0, signing: { ...signing, sender: "client" } });

await router.bind("tcp://127.0.0.1:*");
dealer.connect(router.lastEndpoint ?? "");
await dealer.send(["ping"]);

const request = await router.receive();
const sender: string | undefined = request.origin?.sender;
await router.send([request[0], `pong to ${sender}`]);

const [answer] = await dealer.receive();
console.log(answer?.toString());
router.close();
dealer.close();
