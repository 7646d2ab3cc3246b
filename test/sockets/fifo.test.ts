// The list under the send queue against a plain array that does the same slowly.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo, type Member } from "../../src/sockets/fifo.js";

interface Item extends Member<Item> {
  readonly name: number;
}
const item = (name: number): Item => ({ name, previous: undefined, next: undefined });

/** All members, from first to last, by taking them out. */
function drained(fifo: Fifo<Item>): number[] {
  const names: number[] = [];
  for (let { first } = fifo; first !== undefined; { first } = fifo) {
    names.push(first.name);
    fifo.remove(first);
  }
  return names;
}

describe("a Fifo", () => {
  it("does what an array does, whatever comes and leaves", () => {
    const step = fc.record({ what: fc.constantFrom("last", "first", "remove", "shift"), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const fifo = new Fifo<Item>();
        const array: Item[] = [];
        const gone: Item[] = [];
        for (const [name, { what, which }] of steps.entries()) {
          if (what === "last" || what === "first") {
            const added = item(name);
            fifo.add(added, what);
            if (what === "last") array.push(added);
            else array.unshift(added);
          } else if (array.length > 0) {
            const at = what === "shift" ? 0 : which % array.length;
            const [removed] = array.splice(at, 1) as [Item];
            expect(fifo.remove(removed)).toBe(true);
            gone.push(removed);
          }
          expect([fifo.length, fifo.first]).toEqual([array.length, array[0]]);
          for (const member of gone) expect(fifo.remove(member)).toBe(false);
        }
        expect(drained(fifo)).toEqual(array.map(({ name }) => name));
        expect([fifo.length, fifo.first]).toEqual([0, undefined]);
      }),
    );
  });
});
