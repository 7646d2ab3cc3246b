// Our client with our kernel, hardened, with the adversary suite's attacker on every channel: what he makes and repeats is
// refused and counted, what the two said is all there is; and whatever he keeps from arriving, every call settles.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Channel,
  type Comm,
  type ConnectionInfo,
  createConnectionFile,
  Kernel,
  KernelClient,
  type KernelOptions,
} from "countersign/jupyter";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Attacker, type Hooks, type Recorded } from "../../adversary/wire-proxy.js";
import { Roll } from "../peers/random.js";

const CHANNELS: readonly Channel[] = ["shell", "control", "stdin", "iopub"];
const CELLS = 60;

/** Both ends, and an attacker on each channel between them. */
async function besieged(handlers: Partial<KernelOptions["handlers"]>, options: Partial<KernelOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  const { connection, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
  const hardened = { require: "hardened", skew: 0 } as const;
  const kernel = new Kernel({ ...hardened, ...options, handlers: { execute: () => undefined, ...handlers } });
  await kernel.bind(connection);
  release();
  const attackers = {} as Record<Channel, Attacker>;
  const seen: Record<string, unknown> = { ...connection };
  for (const channel of CHANNELS) {
    attackers[channel] = await Attacker.between(`tcp://127.0.0.1:${connection[`${channel}_port`]}`);
    seen[`${channel}_port`] = Number(new URL(attackers[channel].endpoint).port);
  }
  const client = await KernelClient.connect(seen as ConnectionInfo, { ...hardened, deadAfter: false });
  onTestFinished(async () => {
    client.close();
    kernel.close();
    for (const channel of CHANNELS) await attackers[channel].close();
    rmSync(folder, { recursive: true, force: true });
  });
  const arm = (hooks: (channel: Channel) => Hooks) => {
    for (const channel of CHANNELS) attackers[channel].hooks = hooks(channel);
  };
  return { kernel, client, attackers, arm };
}

function refusals(ends: { readonly sockets: KernelClient["sockets"] | Kernel["sockets"] }): number {
  const counts = CHANNELS.flatMap((channel) => Object.values(ends.sockets?.[channel].stats.rejected ?? {}));
  return counts.reduce((sum, count) => sum + count, 0);
}

const execute: KernelOptions["handlers"]["execute"] = async ({ code }, cell) => {
  cell.stream("stdout", `${code} out`);
  const answer = await cell.input(`${code}?`);
  cell.display({ "text/plain": answer }, { buffers: [Buffer.from(code)] });
  if (Number(code) % 5 === 4) throw new RangeError(code);
  return { data: { "text/plain": code } };
};

describe("a hostile proxy on every channel", { timeout: 120_000 }, () => {
  it("replays, alters, crosses, reflects and invents: everything genuine comes through, once, and nothing else", async () => {
    const echoes: unknown[] = [];
    const echo = (comm: Comm) => {
      comm.onMessage = ({ data, buffers }) => comm.send(data, { buffers });
    };
    const { kernel, client, attackers, arm } = await besieged({ execute }, { comms: { echo } });
    const roll = new Roll(5, false);
    let injected = 0;
    const everything = (): Recorded[] => CHANNELS.flatMap((channel) => attackers[channel].recorded);
    arm((channel) => ({
      onMessage(frames, { direction }) {
        const altered = frames.map((frame) => Buffer.from(frame));
        const frame = altered[roll.below(altered.length)] as Buffer;
        if (frame.length > 0) frame[roll.below(frame.length)]! ^= 1 << roll.below(8);
        else altered.push(Buffer.from("one more"));
        const all = everything();
        const old = all[roll.below(all.length)]!.frames;
        // On iopub only subscriptions go up, which are ZeroMQ's own.
        const forgeries =
          channel === "iopub" && direction === "up" ? [] : [altered, old, [Buffer.from("junk")], []];
        const sent = forgeries.filter((each) => each.length > 0);
        injected += sent.length + (sent.length > 0 ? 1 : 0);
        return sent.length > 0 ? [...sent, frames, frames] : [frames];
      },
    }));
    const comm = await client.comms.open("echo", {}, { onMessage: ({ data }) => void echoes.push(data.n) });
    for (let n = 0; n < CELLS; n++) {
      const execution = client.execute(`${n}`, { input: (prompt) => `${prompt}!`, stopOnError: false });
      const outputs = await execution.outputs();
      const reply = await execution.reply;
      const failed = n % 5 === 4;
      expect(outputs).toMatchObject([
        { type: "stream", text: `${n} out` },
        { type: "display_data", data: { "text/plain": `${n}?!` }, buffers: [Buffer.from(`${n}`)] },
        failed
          ? { type: "error", evalue: `${n}` }
          : { type: "execute_result", data: { "text/plain": `${n}` } },
      ]);
      expect(reply).toMatchObject({ status: failed ? "error" : "ok", executionCount: n + 1 });
      await comm.send({ n });
    }
    await client.interrupt();
    // A question and its answer come behind all that was sent before.
    await client.complete("x");
    expect(echoes).toEqual(Array.from({ length: CELLS }, (_, n) => n));
    expect(injected).toBeGreaterThan(10 * CELLS);
    // What an identity frame was changed in is not Jupyter's to refuse: ZeroMQ's frames in front may bear anything.
    expect(refusals(client) + refusals(kernel)).toBeGreaterThan(0.9 * injected);
    expect(client.stats).toEqual({ pending: 0, unexpected: 0 });
    expect(kernel.stats).toMatchObject({ refused: 0, aborted: 0, dropped: 0, staleAnswers: 0 });
    expect(Object.values(client.sockets).every((socket) => !("closed" in socket) || !socket.closed)).toBe(
      true,
    );
  });

  it("drops, delays and cuts: every call settles, nothing wrong is delivered, and all is well when he is gone", async () => {
    const { client, attackers, arm } = await besieged({
      execute: ({ code }) => ({ data: { "text/plain": code } }),
    });
    const roll = new Roll(9, false);
    arm(() => ({ onMessage: () => (roll.below(4) === 0 ? "drop" : undefined) }));
    const told = { ok: 0, aborted: 0, late: 0 };
    for (let n = 0; n < CELLS; n++) {
      if (n % 20 === 10)
        for (const channel of CHANNELS) for (const each of attackers[channel].connections) each.cut();
      const execution = client.execute(`${n}`, { timeout: 250 });
      const heard: unknown[] = [];
      try {
        for await (const output of execution) heard.push(output);
        told[(await execution.reply).status === "ok" ? "ok" : "aborted"]++;
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_COUNTERSIGN_TIMEOUT" });
        told.late++;
      }
      for (const output of heard) expect(output).toMatchObject({ data: { "text/plain": `${n}` } });
    }
    expect(told.ok + told.aborted + told.late).toBe(CELLS);
    expect(told.late).toBeGreaterThan(0);
    arm(() => ({}));
    const until = performance.now() + 60_000;
    for (;;) {
      const execution = client.execute("after", { timeout: 5000 });
      const outputs = await execution.outputs().catch(() => undefined);
      if (outputs?.length === 1) break;
      expect(performance.now()).toBeLessThan(until);
    }
    // Interrupts that he kept from being answered are given up as well.
    await vi.waitFor(() => expect(client.stats.pending).toBe(0), 30_000);
  });
});
