// Attack 30: a receiver with durable state is killed at random moments (SIGKILL) while it verifies, and everything ever
// sent is sent again to the next one. Nothing is delivered twice; what is signed after its start is delivered.
// COUNTERSIGN_KILLS=200 kills more often.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Signer } from "../../src/session/signer.js";

const PROGRAM = fileURLToPath(new URL("../../.build/test/state/receiver-process.js", import.meta.url));
const KILLS = Number(process.env.COUNTERSIGN_KILLS ?? 20);
const key = Buffer.from("a key for tests, known to everyone here");
const scratch = mkdtempSync(join(tmpdir(), "countersign-kill-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Sent {
  readonly id: number;
  readonly frames: Buffer[];
}

class Receiver {
  readonly #child: ChildProcess;
  /** Verdicts by the id of the message, as far as they came back. */
  readonly verdicts = new Map<number, string>();

  constructor(path: string, log: string, window: number) {
    this.#child = fork(PROGRAM, [path, log, String(window)], { serialization: "advanced" });
    this.#child.on("error", () => {});
    this.#child.on("message", (message: { id?: number; verdict?: string }) => {
      if (message.id !== undefined) this.verdicts.set(message.id, message.verdict as string);
    });
  }

  async ready(): Promise<void> {
    await once(this.#child, "message");
  }

  /** Whoever is killed meanwhile misses it. */
  give(message: Sent): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#child.connected) resolve();
      else this.#child.send(message, () => resolve());
    });
  }

  async answered(count: number): Promise<void> {
    while (this.verdicts.size < count && this.#child.connected) await passed(2);
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

class Senders {
  readonly sent: Sent[] = [];
  #signers = this.#start();

  #start(): Signer[] {
    return ["alice", "bob", "carol"].map((sender) => new Signer({ key, sender, pattern: "push" }));
  }

  restart(): void {
    for (const signer of this.#signers) signer.close();
    this.#signers = this.#start();
  }

  next(): Sent {
    const id = this.sent.length;
    // Alice speaks more than the others do.
    const signer = this.#signers[id % 4 === 0 ? (id % 8 === 0 ? 1 : 2) : 0] as Signer;
    const message = { id, frames: signer.sign([Buffer.from(String(id))]) };
    this.sent.push(message);
    return message;
  }

  end(): void {
    for (const signer of this.#signers) signer.close();
  }
}

test.each([0, 64])(
  `killed ${KILLS} times, window %i: nothing twice, and what is live comes through`,
  { timeout: 60_000 + KILLS * 10_000 },
  async (window) => {
    const [path, log] = [join(scratch, `state-${window}`), join(scratch, `log-${window}`)];
    const senders = new Senders();
    let live = 0;
    for (let kill = 0; kill <= KILLS; kill++) {
      const receiver = new Receiver(path, log, window);
      await receiver.ready();
      const old = [...senders.sent];
      if (kill % 3 === 2) senders.restart();
      for (const message of old) await receiver.give(message);
      await receiver.answered(old.length);
      const killed = kill === KILLS ? passed(500) : passed(Math.random() * 200);
      let over = false;
      void killed.then(() => {
        over = true;
      });
      const fresh: Sent[] = [];
      while (!over && fresh.length < 1000) {
        fresh.push(senders.next());
        await receiver.give(fresh.at(-1) as Sent);
      }
      await killed;
      await receiver.kill();
      const told = fresh
        .map(({ id }) => receiver.verdicts.get(id))
        .filter((verdict) => verdict !== undefined);
      expect(new Set([...told, "delivered"])).toEqual(new Set(["delivered"]));
      live += told.length;
    }
    senders.end();
    const delivered = readFileSync(log, "utf8").trim().split("\n");
    expect(delivered.length).toBeGreaterThan(0);
    expect(delivered.filter((id, at) => delivered.indexOf(id) !== at)).toEqual([]);
    expect(delivered.length).toBeGreaterThanOrEqual(live);
    console.log(
      `window ${window}: ${senders.sent.length} sent, ${delivered.length} delivered, none twice, ${KILLS} kills`,
    );
  },
);
