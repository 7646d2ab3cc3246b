import { generateKey } from "countersign";
import { psk } from "countersign/handshake";
import { expect, test } from "vitest";
import { clientEnd, converse, serverEnd } from "./ends.js";

const KEY = generateKey();

test("two ends that hold the key get the same session", async () => {
  const meeting = { login: psk({ key: KEY }), accept: [psk({ key: KEY })], client: "robot~1" };
  const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
  await converse(client, server);
  expect([client.error, server.error]).toEqual([undefined, undefined]);
  expect(client.session?.id).toBe(server.session?.id);
  expect(client.session?.exportKey("mine", 48)).toEqual(server.session?.exportKey("mine", 48));
  expect(client.session?.sendKey.exportSecret()).toEqual(server.session?.receiveKey.exportSecret());
  expect(client.session?.receiveKey.exportSecret()).toEqual(server.session?.sendKey.exportSecret());
  expect(server.session).toMatchObject({
    user: "robot",
    mechanism: "psk",
    client: "robot~1",
    forwardSecrecy: true,
  });
});

test("options that are none say what to write", () => {
  for (const options of [undefined, KEY, {}]) {
    expect(() => psk(options as never)).toThrow(/psk needs the key that both ends hold: psk\(\{ key \}\)/);
  }
});
