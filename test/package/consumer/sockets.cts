// The same from CommonJS: `require` of an ES module, which Node does since 20.19.

import countersign = require("countersign");

const { Dealer, generateKey, Router } = countersign;

async function main(): Promise<void> {
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
}

void main();
