// A process of its own that signs under a name which another process uses already: node twin.mjs ENDPOINT KEY NAME CHANNEL
// sends one message for each line on its standard input.

import { createInterface } from "node:readline";

import { Push } from "countersign";

const [endpoint, key, sender, channel] = process.argv.slice(2);
const push = new Push({ signing: { key: Buffer.from(key, "base64url"), sender, channel } });
push.connect(endpoint);
for await (const line of createInterface(process.stdin)) await push.send(line);
