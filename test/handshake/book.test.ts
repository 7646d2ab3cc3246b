import { generateKey } from "countersign";
import { psk, type Session } from "countersign/handshake";
import { expect, test } from "vitest";
import { SessionBook } from "../../src/handshake/book.js";
import { clientEnd, converse, serverEnd } from "./ends.js";

const mechanism = psk({ key: generateKey() });

/** A session of a client with this name, at the server. */
async function sessionOf(client: string): Promise<Session> {
  const meeting = { login: mechanism, accept: [mechanism], client, seed: client };
  const server = serverEnd(meeting);
  await converse(clientEnd(meeting), server);
  return server.session as Session;
}

test("whoever is heard all the time is not the one who was heard least recently", async () => {
  let now = 0;
  const lost: string[] = [];
  const listeners = { lost: ({ client }: Session) => lost.push(client), confirmed: () => {} };
  const book = new SessionBook(2, listeners, () => now);
  const busy = await sessionOf("busy");
  book.add(busy);
  // A key that is used again and again is looked at once.
  book.used(busy.receiveKey);
  for (const idle of ["one", "two", "three"]) {
    now += 1000;
    book.used(busy.receiveKey);
    book.add(await sessionOf(idle));
  }
  expect(lost).toEqual(["one", "two"]);
});
