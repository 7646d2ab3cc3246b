import { mintVerifier, scram } from "countersign/handshake";
import { expect, test } from "vitest";
import { clientEnd, converse, serverEnd } from "./ends.js";

const verifier = await mintVerifier("pencil", { iterations: 4096 });

test("a user with a password gets the same session as the server", async () => {
  const meeting = {
    login: scram({ user: "alice", password: "pencil" }),
    accept: [scram({ users: { alice: verifier } })],
  };
  const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
  await converse(client, server);
  expect([client.error, server.error]).toEqual([undefined, undefined]);
  expect(client.session?.id).toBe(server.session?.id);
  expect(server.session).toMatchObject({ user: "alice", mechanism: "scram-sha-256", forwardSecrecy: true });
});

test("a wrong password does not", async () => {
  const meeting = {
    login: scram({ user: "alice", password: "pen" }),
    accept: [scram({ users: { alice: verifier } })],
  };
  const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
  await converse(client, server);
  expect([client.session, server.session, server.error]).toEqual([undefined, undefined, "bad-proof"]);
});
