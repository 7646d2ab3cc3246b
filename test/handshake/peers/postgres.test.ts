// PostgreSQL's SCRAM: verifiers made here let people in there, and the other way round; our client in its own exchange.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkVerifier, mintVerifier, scram } from "countersign/handshake";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { clientEnd, converse, serverEnd } from "../ends.js";
import { logIn, lyingServer } from "./frontend.js";
import { found, mayBeMissing } from "./peers.js";
import { findPostgres, type Postgres, startPostgres } from "./postgres.js";

const bin = findPostgres();

async function byPg(host: string, user: string, password: string): Promise<string> {
  const client = new pg.Client({ host, user, password, database: "postgres", ssl: false });
  client.on("error", () => {});
  try {
    await client.connect();
    return "ok";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => {});
  }
}

describe.skipIf(mayBeMissing(bin))("PostgreSQL", () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres(found(bin));
    server.sql(
      `CREATE ROLE made_here LOGIN PASSWORD '${await mintVerifier("p,=ncil", { iterations: 10_000 })}'`,
    );
    server.sql("CREATE ROLE made_there LOGIN PASSWORD 'p,=ncil'");
  });
  afterAll(() => server?.stop());

  test("a verifier made here lets psql in, and pg, with the right password alone", async () => {
    expect(server.psql("made_here", "p,=ncil")).toBe("made_here");
    expect(() => server.psql("made_here", "wrong")).toThrow(/password authentication failed/);
    expect(await byPg(server.host, "made_here", "p,=ncil")).toBe("ok");
    expect(await byPg(server.host, "made_here", "wrong")).toMatch(/password authentication failed/);
  });

  test("a verifier made there works here", async () => {
    const verifier = server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'made_there'");
    expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:/);
    expect(await checkVerifier(verifier, "p,=ncil")).toBe(true);
    for (const [password, ok] of [
      ["p,=ncil", true],
      ["wrong", false],
    ] as const) {
      const meeting = {
        login: scram({ user: "made_there", password }),
        accept: [scram({ users: { made_there: verifier } })],
      };
      const [client, there] = [clientEnd(meeting), serverEnd(meeting)];
      await converse(client, there);
      expect(client.session !== undefined && there.session !== undefined).toBe(ok);
    }
  });

  test("our client logs in to PostgreSQL's own exchange", async () => {
    const path = join(server.host, ".s.PGSQL.5432");
    expect(await logIn(path, "made_there", "p,=ncil")).toBe("ok");
    expect(await logIn(path, "made_here", "p,=ncil")).toBe("ok");
    expect(await logIn(path, "made_there", "wrong")).toBe("rejected");
    expect(await logIn(path, "nobody_at_all", "p,=ncil")).toBe("rejected");
  });
});

describe("attack 53: a server that knows no password", () => {
  const lie = async (iterations: number) => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-lie-"));
    const path = join(folder, ".s.PGSQL.5432");
    const server = await lyingServer(path, iterations);
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return { folder, path };
  };

  test("is believed by pg, and not by our client", async () => {
    const { folder, path } = await lie(4096);
    expect(await byPg(folder, "alice", "secret")).toBe("ok");
    expect(await logIn(path, "alice", "secret")).toBe("never proven");
  });

  test("may ask pg for a single iteration, and our client not", async () => {
    const { folder, path } = await lie(1);
    expect(await byPg(folder, "alice", "secret")).toBe("ok");
    expect(await logIn(path, "alice", "secret")).toBe("iterations-out-of-range");
  });
});
