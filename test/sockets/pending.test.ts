// Handshakes under way: bounded, one a way, and those that have finished take no place from those that have not.

import { expect, it } from "vitest";
import { type Pending, PendingTable } from "../../src/sockets/pending.js";

const pending = (client: string, deadline = 10, path = client): Pending => ({
  path,
  client,
  deadline,
  began: 0,
  state: {} as Pending["state"],
  heard: Buffer.alloc(0),
  reply: undefined,
  busy: false,
});

function table(limit: number) {
  const told: string[] = [];
  const handshakes = new PendingTable(limit, {
    gaveUp: (failure, client) => told.push(`${client}: ${failure}`),
    emptied: () => told.push("emptied"),
  });
  return { handshakes, told };
}

it("the oldest under way goes where it is full, and is told of", () => {
  const { handshakes, told } = table(2);
  for (const name of ["a", "b", "c"]) handshakes.enter(name, pending(name));
  expect(told).toEqual(["a: displaced"]);
  expect(handshakes.size).toBe(2);
  expect(handshakes.get("a")).toBeUndefined();
});

it("what has finished takes no place, is kept to be answered again, in bounded number, and is not told of", () => {
  const { handshakes, told } = table(2);
  for (const name of ["a", "b", "c"]) {
    handshakes.enter(name, pending(name));
    handshakes.finish(name);
  }
  expect(told).toEqual(["emptied", "emptied", "emptied"]);
  expect(handshakes.size).toBe(0);
  expect(["a", "b", "c"].map((name) => handshakes.get(name)?.client)).toEqual([undefined, "b", "c"]);
  handshakes.expire(10);
  expect(handshakes.get("b")).toBeUndefined();
  expect(told).toHaveLength(3);
});

it("each has a deadline of its own", () => {
  const { handshakes, told } = table(4);
  for (const deadline of [1, 2, 3]) handshakes.enter(`${deadline}`, pending(`${deadline}`, deadline));
  handshakes.expire(2);
  expect(told).toEqual(["1: timeout", "2: timeout"]);
  handshakes.expire(3);
  expect(told).toEqual(["1: timeout", "2: timeout", "emptied", "3: timeout"]);
});

it("whoever begins anew gives up what he had begun; where no way is seen, nobody is told apart", () => {
  const { handshakes, told } = table(4);
  handshakes.enter("a", pending("a", 10, "way"));
  handshakes.enter("b", pending("b", 10, "way"));
  handshakes.finish("b");
  handshakes.enter("c", pending("c", 10, "way"));
  expect(handshakes.get("b")).toBeUndefined();
  handshakes.enter("d", pending("d", 10, ""));
  handshakes.enter("e", pending("e", 10, ""));
  expect(handshakes.size).toBe(3);
  expect(told).toEqual(["emptied", "a: displaced", "emptied"]);
});
