// A receiver that is killed while it verifies: a Verifier with an LmdbState, without sockets. What it delivers it writes to
// a file, one line a message, before it looks at the next.

import { openSync, writeSync } from "node:fs";
import { Verifier } from "countersign/core";
import { LmdbState } from "countersign/state/lmdb";

const [path, log, window] = process.argv.slice(2) as [string, string, string];
const key = Buffer.from("a key for tests, known to everyone here");
const delivered = openSync(log, "a");
const verifier = new Verifier({
  key,
  pattern: "pull",
  window: Number(window),
  receiver: "killed",
  state: new LmdbState({ path }),
});

process.on("message", ({ id, frames }: { id: number; frames: Uint8Array[] }) => {
  const verdict = verifier.verify(frames);
  if (verdict.ok) writeSync(delivered, `${verdict.frames[0]}\n`);
  process.send?.({ id, verdict: verdict.ok ? "delivered" : verdict.reason });
});
process.send?.({ ready: true });
