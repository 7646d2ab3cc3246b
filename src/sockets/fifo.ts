// A first-in-first-out list whose members can also leave from the middle, all in constant time: a queue may hold
// hundreds of thousands of messages, and each may be given up.

/** A member of a {@link Fifo}. */
export interface Member<Self> {
  previous: Self | undefined;
  next: Self | undefined;
}

/** Members in the order in which they came. */
export class Fifo<Item extends Member<Item>> {
  #first: Item | undefined;
  #last: Item | undefined;
  #length = 0;

  /** Who is next. */
  get first(): Item | undefined {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  /** Puts a new member last, or first. */
  add(item: Item, place: "first" | "last"): void {
    if (place === "first") this.#link(item, undefined, this.#first);
    else this.#link(item, this.#last, undefined);
    this.#length++;
  }

  /** Takes a member out, wherever it is; `false` where it is none. */
  remove(item: Item): boolean {
    const { previous, next } = item;
    if (previous === undefined && this.#first !== item) return false;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.previous = undefined;
    item.next = undefined;
    this.#length--;
    return true;
  }

  #link(item: Item, previous: Item | undefined, next: Item | undefined): void {
    item.previous = previous;
    item.next = next;
    if (previous === undefined) this.#first = item;
    else previous.next = item;
    if (next === undefined) this.#last = item;
    else next.previous = item;
  }
}
