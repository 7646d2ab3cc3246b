// A PostgreSQL server of the tests' own: fresh, on a Unix socket in a folder of its own, gone with the test file.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VERSIONS = "/usr/lib/postgresql";

/** The folder with initdb and postgres; `undefined` where there is no PostgreSQL. */
export function findPostgres(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort() : [];
  return versions
    .map((version) => join(VERSIONS, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
}

/** A server that runs. */
export interface Postgres {
  /** The folder of its socket: `host` for psql and pg. */
  readonly host: string;
  /** Runs SQL as the superuser; rows as text. */
  sql(text: string): string;
  /** Logs in by psql; the output, or throws with the complaint. */
  psql(user: string, password: string): string;
  stop(): Promise<void>;
}

const SUPERUSER = "postgres";
const PASSWORD = "superuser's own";

/** Starts a server. As root it runs as the user postgres: PostgreSQL refuses to run as root. */
export async function startPostgres(bin: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-pg-"));
  const asRoot = process.getuid?.() === 0;
  const account = asRoot ? accountOf("postgres") : undefined;
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  if (account !== undefined)
    for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
  const data = join(folder, "data");
  const options = { stdio: "ignore" as const, cwd: folder, env: { ...process.env, TZ: "UTC" }, ...account };
  const initial = [
    "-A",
    "scram-sha-256",
    "-U",
    SUPERUSER,
    "--pwfile",
    passwordFile,
    "-N",
    "-E",
    "UTF8",
    "--locale=C",
  ];
  execFileSync(join(bin, "initdb"), ["-D", data, ...initial], options);
  const settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"];
  const server = spawn(join(bin, "postgres"), ["-D", data, "-k", folder, ...settings], options);
  const query = (user: string, password: string, text: string) =>
    execFileSync(
      "psql",
      ["-h", folder, "-U", user, "-d", "postgres", "-At", "-v", "ON_ERROR_STOP=1", "-c", text],
      {
        encoding: "utf8",
        env: { ...process.env, PGPASSWORD: password },
        stdio: ["ignore", "pipe", "pipe"],
      },
    ).trim();
  await upAndRunning(
    () => query(SUPERUSER, PASSWORD, "SELECT 1"),
    () => server.exitCode,
  );
  return {
    host: folder,
    sql: (text) => query(SUPERUSER, PASSWORD, text),
    psql: (user, password) => query(user, password, "SELECT current_user"),
    async stop() {
      const ended = once(server, "exit");
      server.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accountOf(name: string): { uid: number; gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = (line ?? "").split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** It tells nobody when it is ready but those who ask. */
async function upAndRunning(ask: () => unknown, exitCode: () => number | null): Promise<void> {
  for (;;) {
    try {
      ask();
      return;
    } catch (error) {
      if (exitCode() !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
