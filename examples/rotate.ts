// Rotating keys without stopping: receivers accept the new key first, then senders sign with it, then the old one is
// let go. One stream, one sequence: nothing is lost and nothing old comes in again.
import { generateKey, Keyring, Pull, Push } from "countersign";

const first = generateKey();
const senderKeys = new Keyring([first]);
const receiverKeys = new Keyring([first]);

const pull = new Pull({ signing: { key: receiverKeys } });
await pull.bind("tcp://127.0.0.1:*");
const push = new Push({ signing: { key: senderKeys } });
push.connect(pull.lastEndpoint as string);

async function exchange(text: string): Promise<void> {
  await push.send(text);
  const message = await pull.receive();
  const key = message.origin.keyId === senderKeys.keys[0]?.idText ? "current key" : "another key";
  console.log(`number ${message.origin.sequence}, ${key}: ${message}`);
}

await exchange("under the first key");

const second = generateKey();
receiverKeys.add(second); // 1. everybody who listens accepts it
await exchange("still under the first key");
senderKeys.rotate(second, { overlap: 60_000 }); // 2. everybody who speaks signs with it
await exchange("under the second key");
receiverKeys.rotate(second, { overlap: 0 }); // 3. the first key expires,
receiverKeys.revoke(receiverKeys.keys.at(-1) as Keyring["keys"][number]); //    or is revoked at once if it was stolen
await exchange("the first key is gone");

console.log(`lost ${4 - pull.stats.accepted}`);
push.close();
pull.close();
