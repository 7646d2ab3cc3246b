// The process behind RemoteState: opens an LmdbState and answers questions about it, one after another.

import type { Streams } from "countersign/core";
import { LmdbState } from "countersign/state/lmdb";
import type { Question, RemoteOptions, Reply } from "./remote.js";

let now = 0;
let state: LmdbState | undefined;
const tables = new Map<string, Streams>();

process.on("warning", ({ message, ...warning }) => {
  const { code } = warning as { code?: string };
  process.send?.({ warning: { code, message } });
});

/** From here on somebody else, to whom the folder does not belong. */
function become(uid: number): void {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}

const METHODS: Record<string, (...args: never[]) => unknown> = {
  open: async ({ uid, ...options }: RemoteOptions) => {
    await state?.close();
    tables.clear();
    if (uid !== undefined) become(uid);
    state = new LmdbState({ ...options, clock: () => now });
  },
  table: (...args: Parameters<LmdbState["table"]>) => {
    tables.set(JSON.stringify(args.slice(0, 3)), (state as LmdbState).table(...args));
  },
  nextEpoch: (...args: Parameters<LmdbState["nextEpoch"]>) => state?.nextEpoch(...args),
  close: () => state?.close(),
  exit: () => process.exit(0),
};

async function answer({ id, now: moment, method, table, args }: Question): Promise<void> {
  now = moment;
  let reply: Omit<Reply, "id" | "size">;
  try {
    const of = table === undefined ? METHODS : (tables.get(table) as unknown as typeof METHODS);
    reply = { result: await of[method]?.(...(args as never[])) };
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    reply = { error: { code, message } };
  }
  const [last] = [...tables.values()].slice(-1);
  process.send?.({ id, size: last?.size ?? 0, ...reply } satisfies Reply);
}

process.on("message", (question: Question) => void answer(question));
