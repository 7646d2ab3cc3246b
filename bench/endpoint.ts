// Where a receiver binds: any port of this machine, or a socket file in a folder that is removed afterwards.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case } from "./cases.js";

export interface Endpoints {
  /** A new one each time. */
  next(): string;
  remove(): void;
}

export function endpoints(transport: Case["transport"]): Endpoints {
  if (transport === "tcp") return { next: () => "tcp://127.0.0.1:*", remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  let made = 0;
  return {
    next: () => `ipc://${join(folder, String(++made))}`,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
