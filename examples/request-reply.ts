// Request and reply, signed: new are the import and `signing`.
import { generateKey, Reply, Request } from "countersign";

const key = generateKey();
const server = new Reply({ signing: { key, sender: "server" } });
await server.bind("tcp://127.0.0.1:*");
const client = new Request({ signing: { key, sender: "alice" } });
client.connect(server.lastEndpoint as string);

await client.send("7 * 6");
const question = await server.receive();
await server.send(`${question.origin.sender} asked for ${question}: 42`);
console.log(String(await client.receive()));

client.close();
server.close();
