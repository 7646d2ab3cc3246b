// A redis-server of one's own on a free port, for as long as it is needed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Missing } from "./section.js";

/** Starts redis-server without persistence; throws with advice where that program is missing. */
export async function startRedis(port: number, folder: string): Promise<ChildProcess> {
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const redis = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  const failed = once(redis, "error").then(([error]) => {
    throw new Missing(
      `redis-server cannot be started (${(error as Error).message}); "npm run peers" installs it`,
    );
  });
  const ready = (async () => {
    for await (const text of redis.stdout) if (String(text).includes("Ready to accept")) return;
  })();
  await Promise.race([failed, ready]);
  redis.stdout.resume();
  return redis;
}
