// A process of its own that signs under a name which another process uses already: node twin.mjs ENDPOINT KEY NAME CHANNEL
// [ADMIT] sends one message for each line on its standard input; a DEALER that admits by challenge, if it is told to.

import { createInterface } from "node:readline";

import { Dealer, Push } from "countersign";

const [endpoint, key, sender, channel, admit = "clock"] = process.argv.slice(2);
const signing = { key: Buffer.from(key, "base64url"), sender, channel, admit };
const socket = admit === "challenge" ? new Dealer({ signing }) : new Push({ signing });
socket.connect(endpoint);
for await (const line of createInterface(process.stdin)) await socket.send(line);
