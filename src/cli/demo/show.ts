// What the demonstration prints: a line an event while it runs, tables at the end. 100 columns.

import { type Paint, printable } from "../terminal.js";
import { ACTS, type ActName } from "./acts.js";
import type { Books, Entry, Flow } from "./books.js";
import type { Channel } from "./cast.js";
import type { Finding } from "./verdict.js";

const WHAT = 42;

/** Prints events as they come. */
export class Screen {
  readonly #paint: Paint;
  readonly #began = performance.now();

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** A line of text. */
  say(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  heading(text: string): void {
    this.say(`\n${this.#paint.bold(text)}`);
  }

  /** A genuine message arrived. */
  delivered(from: string, to: string, channel: Channel, { note, late }: Entry): void {
    const verdict = late ? this.#paint.yellow("delivered, marked late") : this.#paint.green("delivered");
    this.#line(from, to, channel, note.text, verdict);
  }

  /** An act and what came of it. */
  acted(name: ActName, outcome: string): void {
    const { says, receiver, channel, expected } = ACTS[name];
    const right = outcome === expected;
    const verdict = right ? this.#paint.dim(`refused: ${outcome}`) : this.#paint.red(this.#failure(outcome));
    this.#line("attacker", receiver, channel, says, verdict);
  }

  /** An act in flight, announced; its outcome shows in the traffic. */
  arms(name: ActName, what: string): void {
    const { receiver, channel } = ACTS[name];
    this.#line("attacker", receiver, channel, ACTS[name].says, this.#paint.dim(what));
  }

  /** A gap was noticed. */
  missed(receiver: string, lost: number): void {
    this.#line(
      receiver,
      "",
      "iopub",
      `notices what never came`,
      this.#paint.yellow(`${lost} missing, counted`),
    );
  }

  #failure(outcome: string): string {
    return outcome === "delivered"
      ? "GOT THROUGH"
      : outcome === "nothing"
        ? "NOT NOTICED"
        : `refused: ${outcome} (!)`;
  }

  #line(from: string, to: string, channel: string, what: string, verdict: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(2).padStart(6);
    const who = (to === "" ? from : `${from} → ${to}`).padEnd(19);
    this.say(
      `${this.#paint.dim(seconds)}  ${who} ${channel.padEnd(6)} ${pad(printable(what), WHAT)}  ${verdict}`,
    );
  }
}

function pad(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}

/** What the attacker tried, act by act. */
export function actTable(books: Books, paint: Paint): string[] {
  const names = [...new Set(books.acts.map(({ name }) => name))];
  const order = Object.keys(ACTS);
  names.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const rows = names.map((name) => {
    const outcomes = books.acts.filter((act) => act.name === name).map(({ outcome }) => outcome);
    const { says, receiver, channel, expected } = ACTS[name];
    const noticed = outcomes.filter((outcome) => outcome === expected).length;
    const through = outcomes.length - noticed;
    const text = `${pad(says, 40)} ${pad(`${receiver}, ${channel}`, 14)} ${pad(as(expected), 16)} ${cell(outcomes.length)} ${cell(noticed)} ${cell(through)}`;
    return through === 0 ? text : paint.red(text);
  });
  const head = `${pad("the attacker …", 40)} ${pad("noticed by", 14)} ${pad("as", 16)}    tried  noticed  through`;
  return [paint.bold(head), ...rows];
}

function as(expected: string): string {
  return expected === "late" ? "late, marked" : expected === "gap" ? "missing, counted" : expected;
}

/** What was genuine, flow by flow. */
export function flowTable(books: Books, paint: Paint): string[] {
  const rows = [...books.flows.values()]
    .filter(({ entries }) => entries.size > 0)
    .map((flow) => flowRow(flow, paint));
  const head = `${pad("genuine messages", 40)}     sent  withheld  delivered   late     lost`;
  return [paint.bold(head), ...rows];
}

function flowRow({ from, to, channel, entries }: Flow, paint: Paint): string {
  const all = [...entries.values()];
  const count = (matches: (entry: Entry) => boolean) => all.filter(matches).length;
  const lost = count((entry) => !entry.withheld && entry.delivered === 0);
  const figures = [
    String(all.length).padStart(8),
    String(count((entry) => entry.withheld)).padStart(9),
    String(count((entry) => entry.delivered > 0)).padStart(10),
    String(count((entry) => entry.late)).padStart(6),
    String(lost).padStart(8),
  ].join(" ");
  const text = `${pad(`${from} → ${to}, ${channel}`, 40)} ${figures}`;
  return lost === 0 ? text : paint.red(text);
}

function cell(value: number): string {
  return String(value).padStart(8);
}

/** Promise by promise. */
export function findingLines(found: readonly Finding[], paint: Paint): string[] {
  return found.map(({ promise, held, detail }) => {
    const mark = held ? paint.green("kept  ") : paint.red("BROKEN");
    return `${mark}  ${pad(promise, 40)} ${held ? paint.dim(detail) : detail}`;
  });
}
