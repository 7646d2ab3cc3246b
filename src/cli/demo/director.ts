// The director: starts the actors, has cells run and attacks performed in turn, and keeps the books of what both ends
// say came of it.

import { setTimeout as sleep } from "node:timers/promises";
import { exportJwks } from "../../keys/jwk.js";
import { generateKey } from "../../keys/key.js";
import { Keyring } from "../../keys/keyring.js";
import { Actor } from "./actor.js";
import { ACTS, type ActName, actNames } from "./acts.js";
import { Books } from "./books.js";
import { CLIENTS, type Receiver } from "./cast.js";
import { type Cell, cells } from "./cells.js";
import type { Report } from "./script.js";
import type { Screen } from "./show.js";
import { type Finding, findings } from "./verdict.js";

/** How a run goes. */
export interface RunOptions {
  readonly signed: boolean;
  readonly cells: number;
  /** Milliseconds between steps, for the eye. */
  readonly pause: number;
  /** A number from 0 to 1, each time another. */
  readonly random: () => number;
}

const PATIENCE = 10_000;
const LATE_ACTS: readonly ActName[] = ["replay-first", "replay-old-output"];

/** One run of the demonstration. */
export class Director {
  readonly books = new Books();
  readonly #options: RunOptions;
  readonly #screen: Screen;
  readonly #actors = new Map<string, Actor>();
  readonly #finished = new Map<string, string>();
  readonly #ready = new Map<string, { shell?: string; iopub?: string }>();
  #heard: (receiver: string, report: Report) => void = () => {};
  #changed: () => void = () => {};
  #subscribed = 0;
  #failure: Error | undefined;

  constructor(options: RunOptions, screen: Screen) {
    this.#options = options;
    this.#screen = screen;
  }

  /** Runs the whole play; the actors are gone when it returns or throws. */
  async run(): Promise<Finding[]> {
    try {
      await this.#raiseCurtain();
      const play = cells(this.#options.cells);
      const acts = this.#schedule(play.cells.length - 3);
      for (const [i, cell] of play.cells.entries()) {
        const last = i === play.cells.length - 1;
        await this.#run(cell, i >= 2 && cell.client === "alice" && !last ? inFlight(i) : undefined);
        for (const name of last ? LATE_ACTS : (acts[i - 2] ?? [])) await this.#act(name);
      }
      const got = this.#finished.get((play.cells.at(-1) as Cell).id) ?? "unknown";
      await this.#collectCounters();
      return findings(this.books, { expected: String(play.total), got });
    } finally {
      for (const actor of this.#actors.values()) actor.end();
    }
  }

  async #raiseCurtain(): Promise<void> {
    const env = this.#options.signed
      ? { COUNTERSIGN_DEMO_KEYS: JSON.stringify(exportJwks(new Keyring([generateKey()]))) }
      : {};
    this.#start("kernel", "kernel", env);
    const kernel = await this.#addresses("kernel");
    this.#start("attacker", "attacker", {});
    this.#tell("attacker", { order: "connect", ...kernel });
    const broker = await this.#addresses("attacker");
    for (const client of CLIENTS) {
      this.#start(client, "client", env);
      await this.#until(() => this.#ready.has(client), `${client} to start`);
      this.#tell(client, { order: "connect", ...broker });
    }
    // Subscriptions travel through the broker, and PUB drops what nobody has subscribed to yet.
    await this.#until(
      () => this.#subscribed === CLIENTS.length,
      "the subscriptions",
      () => this.#tell("kernel", { order: "probe" }),
    );
  }

  #start(name: string, file: string, env: NodeJS.ProcessEnv): void {
    const fail = (error: Error) => {
      this.#failure ??= error;
      this.#changed();
    };
    this.#actors.set(name, new Actor(name, file, env, (actor, report) => this.#hear(actor, report), fail));
  }

  async #addresses(name: string): Promise<{ shell: string; iopub: string }> {
    await this.#until(() => this.#ready.has(name), `${name} to bind`);
    return this.#ready.get(name) as { shell: string; iopub: string };
  }

  /** Every act at least once, spread over the cells in random order. */
  #schedule(places: number): ActName[][] {
    const names = actNames(this.#options.signed).filter(
      (name) => !("inFlight" in ACTS[name]) && !LATE_ACTS.includes(name),
    );
    const each = Math.max(2, Math.ceil(names.length / Math.max(1, places)));
    const shuffled: ActName[] = [];
    while (shuffled.length < each * places) shuffled.push(...shuffle(names, this.#options.random));
    return Array.from({ length: places }, (_, i) => shuffled.slice(i * each, (i + 1) * each));
  }

  async #run(cell: Cell, act: ActName | undefined): Promise<void> {
    if (act !== undefined) this.#tell("attacker", { order: "arm", name: act });
    const noticed = act === undefined ? undefined : this.#notice(act);
    this.#tell(cell.client, { order: "run", id: cell.id, code: cell.code });
    await this.#until(() => this.#finished.has(cell.id), `the answer to ${cell.id}`);
    await this.#settle();
    if (act !== undefined) {
      const outcome = await (noticed as Promise<string>);
      this.books.acts.push({ name: act, outcome });
      if (act === "overtake") this.#screen.acted(act, outcome);
    }
    this.books.closeStep();
    await sleep(this.#options.pause);
  }

  async #act(name: ActName): Promise<void> {
    const noticed = this.#notice(name);
    this.#tell("attacker", { order: "act", name });
    const outcome = await noticed;
    this.books.acts.push({ name, outcome });
    this.#screen.acted(name, outcome);
    if (!this.#options.signed) await sleep(20); // an intruder may have set the kernel to work
    this.books.closeStep();
    await sleep(this.#options.pause);
  }

  /** Waits for what the receiver says of an act. */
  #notice(name: ActName): Promise<string> {
    const { receiver, channel, expected } = ACTS[name];
    // A withheld message is noticed when later ones have come: the books count it, the gap report accounts for it.
    if (expected === "gap") return Promise.resolve(this.#options.signed ? "gap" : "nothing");
    return new Promise((resolve) => {
      const done = (outcome: string) => {
        clearTimeout(timer);
        this.#heard = () => {};
        resolve(outcome);
      };
      const timer = setTimeout(() => done("nothing"), this.#options.signed ? PATIENCE : 500);
      this.#heard = (from, report) => {
        if (from !== receiver || !("channel" in report) || report.channel !== channel) return;
        if (report.report === "refused") done(report.reason);
        else if (report.report === "delivered" && expected === "late" && report.late) done("late");
        else if (report.report === "delivered" && expected !== "late" && !this.#isGenuine(receiver, report))
          done("delivered");
      };
    });
  }

  #isGenuine(receiver: Receiver, report: Extract<Report, { report: "delivered" }>): boolean {
    const flow = [...this.books.flows.values()].find(
      ({ from, to, channel }) => from === report.from && to === receiver && channel === report.channel,
    );
    const entry = flow?.entries.get(report.content);
    return (
      entry !== undefined &&
      entry.delivered <= 1 &&
      !this.books.intruders.some(({ delivered }) => delivered === report)
    );
  }

  async #settle(): Promise<void> {
    const done = () => this.books.settled || !this.#options.signed;
    await this.#until(done, "what was sent to arrive").catch((error) => {
      if (this.#failure !== undefined) throw error; // what did not arrive is for the books to say
    });
    if (!this.#options.signed) await sleep(20);
  }

  async #collectCounters(): Promise<void> {
    if (!this.#options.signed) return;
    for (const name of ["kernel", ...CLIENTS]) this.#tell(name, { order: "stats" });
    await this.#until(() => this.books.counters.size === 5, "the sockets' counters");
  }

  #hear(actor: string, report: Report): void {
    const receiver = actor as Receiver;
    if (report.report === "ready") this.#ready.set(actor, report);
    else if (report.report === "subscribed") this.#subscribed++;
    else if (report.report === "finished") this.#finished.set(report.id, report.result);
    else if (report.report === "sent") {
      const entry = this.books.sent(actor, report);
      if (entry !== undefined) this.#screen.delivered(actor, report.to, report.channel, entry);
    } else if (report.report === "delivered") {
      const entry = this.books.delivered(receiver, report);
      if (entry !== undefined) this.#screen.delivered(report.from, receiver, report.channel, entry);
    } else if (report.report === "refused") this.books.wasRefused(receiver, report);
    else if (report.report === "withheld") this.#withheld(report.id);
    else if (report.report === "gap") this.#missed(actor, report.lost);
    else if (report.report === "stats") this.#counted(actor, report);
    this.#heard(actor, report);
    this.#changed();
  }

  #withheld(id: string): void {
    this.books.keep(id);
    this.#screen.arms("withhold", "it never arrives");
  }

  #missed(receiver: string, lost: number): void {
    this.books.missed += lost;
    this.#screen.missed(receiver, lost);
  }

  #counted(actor: string, { counters }: Extract<Report, { report: "stats" }>): void {
    for (const [channel, counted] of Object.entries(counters)) {
      if (counted !== undefined) this.books.counters.set(`${actor} ${channel}`, counted);
    }
  }

  #tell(actor: string, order: Parameters<Actor["tell"]>[0]): void {
    this.#actors.get(actor)?.tell(order);
  }

  /** Waits until `reached`, looking after every report and every 100 ms, when it does `meanwhile`. */
  async #until(reached: () => boolean, what: string, meanwhile: () => void = () => {}): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!reached()) {
      if (this.#failure !== undefined) throw this.#failure;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`Waited ${PATIENCE / 1000} s in vain for ${what}.`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        setTimeout(resolve, Math.min(left, 100));
      });
      meanwhile();
    }
  }
}

/** Three acts need a message in flight; alice's cells take them in turn. */
function inFlight(i: number): ActName {
  return (["overtake", "swap", "withhold"] as const)[(i / 2) % 3] as ActName;
}

function shuffle(names: readonly ActName[], random: () => number): ActName[] {
  const shuffled = [...names];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j] as ActName, shuffled[i] as ActName];
  }
  return shuffled;
}
