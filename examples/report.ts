// Rolling out: with `policy: "report"` a server still serves peers that do not sign yet, and tells which ones do; when
// the last one signs, drop the policy. A bad signature is refused from the first day.
import { Dealer, generateKey, originOf, Router } from "countersign";
import * as zmq from "zeromq";

const key = generateKey();
const signing = { key, sender: "server", channel: "jobs" };

async function serve(policy: "report" | "enforce"): Promise<void> {
  const server = new Router({
    linger: 0,
    receiveTimeout: 300,
    signing: { ...signing, policy, reply: "as-received" },
  });
  await server.bind("tcp://127.0.0.1:*");
  const address = server.lastEndpoint as string;
  const old = new zmq.Dealer({ linger: 0, receiveTimeout: 300 });
  const moved = new Dealer({ linger: 0, signing: { key, sender: "moved", channel: "jobs" } });
  old.connect(address);
  moved.connect(address);

  for (const [peer, question] of [
    [old, "from a peer that does not sign"],
    [moved, "from a peer that does"],
  ] as const) {
    await peer.send(question);
    const message = await server.receive().catch(() => undefined);
    if (message === undefined) continue;
    const [id, text] = message as Buffer[];
    console.log(`${policy}: ${text} (${originOf(message)?.sender ?? "unsigned"})`);
    await server.send([id as Buffer, "done"]); // as received: plain to the one, signed to the other
  }
  const oldGot = await old.receive().catch(() => "nothing");
  console.log(`${policy}: the old peer got ${oldGot}, the other ${await moved.receive()}`);
  const { unsigned, rejected } = server.stats;
  console.log(`${policy}: ${unsigned} unsigned let through, ${rejected.unsigned} refused`);
  for (const socket of [server, old, moved]) socket.close();
}

await serve("report");
await serve("enforce");
