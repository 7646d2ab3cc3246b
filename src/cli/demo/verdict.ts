// What the books say of the promises. Pure, so that the tests can cook books and see each check fail.

import { ACTS, type Act } from "./acts.js";
import type { Books } from "./books.js";

/** A promise, whether it held, and how it shows. */
export interface Finding {
  readonly promise: string;
  readonly held: boolean;
  readonly detail: string;
}

/** Holds the books against every promise. `total`: what the kernel must and does say at the end. */
export function findings(
  books: Books,
  total: { readonly expected: string; readonly got: string },
): Finding[] {
  const entries = [...books.entries()];
  const lost = entries.filter((entry) => !entry.withheld && entry.delivered === 0);
  const unmarked = [...books.flows.values()].reduce((sum, flow) => sum + flow.unmarked, 0);
  const misjudged = books.acts.filter(({ name, outcome }) => outcome !== ACTS[name].expected);
  const disagreements = disagreementsOf(books);
  return [
    {
      promise: "nothing genuine was lost",
      held: lost.length === 0,
      detail: `${entries.length} genuine messages, ${books.withheld} withheld by the attacker, ${lost.length} lost`,
    },
    {
      promise: "nothing else got through",
      held: books.intruders.length === 0,
      detail: `${books.intruders.length} messages delivered that nobody sent, or not for the first time`,
    },
    {
      promise: "in order, or marked",
      held: unmarked === 0,
      detail: `${unmarked} messages delivered behind later ones without a mark`,
    },
    {
      promise: "every attack was noticed for what it is",
      held: misjudged.length === 0 && books.acts.length > 0,
      detail: `${books.acts.length} attacks, ${misjudged.length} unnoticed or refused for another reason${named(misjudged)}`,
    },
    {
      promise: "every missing message was counted",
      held: books.missed === books.withheld,
      detail: `${books.withheld} withheld, ${books.missed} reported missing`,
    },
    {
      promise: "the sockets' own counters agree",
      held: disagreements.length === 0,
      detail:
        disagreements.length === 0 ? "accepted and refused, at every receiver" : disagreements.join("; "),
    },
    {
      promise: "every cell ran once",
      held: total.got === total.expected,
      detail: `the kernel's total is ${total.got}, must be ${total.expected}`,
    },
  ];
}

function named(acts: readonly { readonly name: string; readonly outcome: string }[]): string {
  const shown = acts.slice(0, 3).map(({ name, outcome }) => `${name}: ${outcome}`);
  return shown.length === 0 ? "" : ` (${shown.join(", ")}${acts.length > 3 ? ", …" : ""})`;
}

/** What the sockets counted against what was reported one by one, and against what the acts account for. */
function disagreementsOf(books: Books): string[] {
  if (books.counters.size === 0) return ["the sockets counted nothing"];
  const wrong: string[] = [];
  for (const [place, { accepted, rejected }] of books.counters) {
    const [receiver, channel] = place.split(" ") as [string, string];
    const delivered = deliveredAt(books, receiver, channel);
    if (accepted !== delivered) wrong.push(`${place}: ${accepted} accepted, ${delivered} delivered`);
    const total = Object.values(rejected).reduce((sum, count) => sum + count, 0);
    const acted = refusalsDue(books, receiver, channel);
    if (total !== acted) wrong.push(`${place}: ${total} refused, ${acted} attacks to refuse`);
  }
  return wrong;
}

function deliveredAt(books: Books, receiver: string, channel: string): number {
  const genuine = [...books.flows.values()]
    .filter((flow) => flow.to === receiver && flow.channel === channel)
    .flatMap((flow) => [...flow.entries.values()]);
  const intruders = books.intruders.filter((i) => i.receiver === receiver && i.delivered.channel === channel);
  return genuine.filter((entry) => entry.delivered > 0).length + intruders.length;
}

function refusalsDue(books: Books, receiver: string, channel: string): number {
  return books.acts.filter(({ name }) => {
    const act: Act = ACTS[name];
    return (
      act.receiver === receiver &&
      act.channel === channel &&
      act.expected !== "late" &&
      act.expected !== "gap"
    );
  }).length;
}
