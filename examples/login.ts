// Logging in: a user with a password, and a service with a shared key, at a server that stores no password. Who cannot log
// in is not heard; who is revoked is not heard any more.
import { Dealer, generateKey, Router } from "countersign";
import { type LoginMechanism, mintVerifier, psk, scram } from "countersign/handshake";

const key = generateKey();
const users = { alice: await mintVerifier("correct horse") }; // `countersign passwd` keeps a file of these
let onRefused = (_reason: string) => {};
const server = new Router({
  linger: 0,
  signing: {
    accept: [scram({ users }), psk({ key })],
    sender: "server",
    channel: "orders",
    onSession: (event) => event.type === "refused" && onRefused(event.reason),
  },
});
await server.bind("tcp://127.0.0.1:*");

/** A client of its own name, which logs in as soon as it has something to say. */
function client(sender: string, login: LoginMechanism): Dealer {
  const dealer = new Dealer({ linger: 0, signing: { login, sender, channel: "orders" } });
  dealer.connect(server.lastEndpoint as string);
  return dealer;
}

const alice = client("alice-laptop", scram({ user: "alice", password: "correct horse" }));
const billing = client("billing", psk({ key }));
for (const dealer of [alice, billing]) {
  await dealer.send("one order");
  const message = await server.receive();
  const { sender, user, mechanism } = message.origin;
  console.log(`${message[1]}, by ${user} (${mechanism}) on ${sender}`);
  await server.send([message[0] as Buffer, "taken"]);
  console.log(`to ${sender}: ${await dealer.receive()}`);
}

const refused = new Promise<string>((resolve) => {
  onRefused = resolve;
});
const mallory = client("mallory", scram({ user: "alice", password: "a guess" }));
mallory.send("my order").catch(() => {}); // waits, and is given up when the socket is closed
console.log(`mallory is refused: ${await refused}`);

console.log(`alice is revoked: ${server.sessions.revoke("alice")} session`);
for (const socket of [mallory, alice, billing, server]) socket.close();
