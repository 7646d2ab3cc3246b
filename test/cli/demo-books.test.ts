// The books of the demonstration must be able to find fault: each kind of fault is cooked into honest books.

import { expect, test } from "vitest";
import { ACTS, type ActName } from "../../src/cli/demo/acts.js";
import { Books } from "../../src/cli/demo/books.js";
import { encode } from "../../src/cli/demo/script.js";
import { findings } from "../../src/cli/demo/verdict.js";

const note = (id: string) => ({ id, text: `text of ${id}` });
const send = (books: Books, id: string) =>
  books.sent("alice", { report: "sent", channel: "shell", to: "kernel", note: note(id) });
const arrival = (id: string, late = false) =>
  ({
    report: "delivered",
    channel: "shell",
    from: "alice",
    late,
    content: String(encode(note(id))),
  }) as const;
const total = { expected: "3", got: "3" };

/** Two requests sent and delivered, one attack refused as it must be; then `cook`. */
function cooked(cook: (books: Books) => void = () => {}): string[] {
  const books = new Books();
  for (const id of ["alice-1", "alice-2"]) {
    send(books, id);
    books.delivered("kernel", arrival(id));
  }
  books.acts.push({ name: "replay-request", outcome: "replayed" });
  books.counters.set("kernel shell", { accepted: 2, rejected: { replayed: 1 }, lost: 0 });
  cook(books);
  books.closeStep();
  return findings(books, total)
    .filter(({ held }) => !held)
    .map(({ promise }) => promise);
}

test("honest books find nothing", () => {
  expect(cooked()).toEqual([]);
});

test("a message that never arrived is lost; one that the attacker withheld is missing until it is counted", () => {
  expect(cooked((books) => void send(books, "alice-3"))).toEqual(["nothing genuine was lost"]);
  const withheld = (books: Books) => {
    send(books, "alice-3");
    books.keep("alice-3");
  };
  expect(cooked(withheld)).toEqual(["every missing message was counted"]);
  const counted = (books: Books) => {
    withheld(books);
    books.missed = 1;
  };
  expect(cooked(counted)).toEqual([]);
});

test("the attacker's report may come before the sender's", () => {
  const books = new Books();
  books.keep("alice-9");
  send(books, "alice-9");
  expect(books.settled).toBe(true);
  expect(books.withheld).toBe(1);
});

test("a second delivery, an invention and a message from the wrong party are intruders", () => {
  const through = ["nothing else got through", "the sockets' own counters agree"];
  expect(cooked((books) => void books.delivered("kernel", arrival("alice-1")))).toEqual(through);
  expect(cooked((books) => void books.delivered("kernel", arrival("mallory-1")))).toEqual(through);
  expect(cooked((books) => void books.delivered("kernel", { ...arrival("alice-1"), from: "bob" }))).toEqual(
    through,
  );
  expect(cooked((books) => void books.delivered("bob", arrival("alice-1")))).toEqual([
    "nothing else got through",
  ]);
});

test("a delivery whose sender reports later is no intruder", () => {
  const books = new Books();
  expect(books.delivered("kernel", arrival("alice-9"))).toBeUndefined();
  expect(send(books, "alice-9")?.delivered).toBe(1);
  books.closeStep();
  expect(books.intruders).toEqual([]);
});

test("out of order is a fault unless it is marked", () => {
  const swapped = (late: boolean) => (books: Books) => {
    for (const id of ["alice-3", "alice-4"]) send(books, id);
    books.delivered("kernel", arrival("alice-4"));
    books.delivered("kernel", arrival("alice-3", late));
    books.counters.set("kernel shell", { accepted: 4, rejected: { replayed: 1 }, lost: 0 });
  };
  expect(cooked(swapped(true))).toEqual([]);
  expect(cooked(swapped(false))).toEqual(["in order, or marked"]);
});

test("an attack refused for another reason, or not noticed, is a fault", () => {
  for (const outcome of ["bad-signature", "delivered", "nothing"]) {
    const unnoticed = (books: Books) => {
      books.acts[0] = { name: "replay-request", outcome };
    };
    expect(cooked(unnoticed)).toEqual(["every attack was noticed for what it is"]);
  }
});

test("counters that do not add up, or are not there, are a fault", () => {
  const counters = (accepted: number, replayed: number) => (books: Books) =>
    void books.counters.set("kernel shell", { accepted, rejected: { replayed }, lost: 0 });
  const fault = ["the sockets' own counters agree"];
  expect(cooked(counters(3, 1))).toEqual(fault);
  expect(cooked(counters(2, 2))).toEqual(fault);
  expect(cooked((books) => books.counters.clear())).toEqual(fault);
});

test("a total that is not what the cells add up to is a fault", () => {
  const found = findings(new Books(), { expected: "3", got: "4" });
  expect(found.find(({ promise }) => promise === "every cell ran once")?.held).toBe(false);
});

test("every act names who must notice it", () => {
  const names = Object.keys(ACTS) as ActName[];
  expect(names.length).toBeGreaterThanOrEqual(20);
  for (const name of names) expect(["alice", "bob", "kernel"]).toContain(ACTS[name].receiver);
});
