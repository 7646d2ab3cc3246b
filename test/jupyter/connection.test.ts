// Connection files: private, whole, with ports that nobody else gets, and told of when they change.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import {
  addressOf,
  bindKernel,
  type ConnectionInfo,
  checkConnection,
  createConnectionFile,
  readConnectionFile,
  runtimeDir,
  watchConnectionFile,
} from "countersign/jupyter";
import { afterAll, describe, expect, it } from "vitest";
import * as zmq from "zeromq";

const folder = mkdtempSync(join(tmpdir(), "jupyter-connection-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = () => join(folder, `${files++}`, "kernel.json");

const INFO = {
  shell_port: 1,
  iopub_port: 2,
  stdin_port: 3,
  control_port: 4,
  hb_port: 5,
  ip: "127.0.0.1",
  key: "k",
  transport: "tcp",
  signature_scheme: "hmac-sha256",
  kernel_name: "",
};

describe("a new connection file", () => {
  it("is private and complete, with a new key each time", async () => {
    const path = fresh();
    const umask = process.umask(0);
    const { connection, release } = await createConnectionFile({ path, kernel_name: "deno" });
    process.umask(umask);
    release();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, ".."))).toEqual(["kernel.json"]);
    expect(readConnectionFile(path)).toEqual(connection);
    expect(connection).toMatchObject({
      ip: "127.0.0.1",
      transport: "tcp",
      signature_scheme: "hmac-sha256",
      kernel_name: "deno",
    });
    expect(connection.key.length).toBeGreaterThanOrEqual(43);
    const other = await createConnectionFile({ path });
    other.release();
    expect(other.connection.key).not.toBe(connection.key);
    expect(readConnectionFile(path)).toEqual(other.connection);
  });

  it("keeps its ports until they are bound: nobody is given one, and libzmq can bind each", async () => {
    const { connection, release } = await createConnectionFile({ path: fresh() });
    const ports = [1, 2, 3, 4, 5].map((_, i) => Object.values(connection).filter(Number.isInteger)[i]);
    expect(new Set(ports).size).toBe(5);
    const given: number[] = [];
    const servers = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const server = createServer().listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        given.push((server.address() as { port: number }).port);
        return server;
      }),
    );
    for (const server of servers) server.close();
    expect(given.filter((port) => ports.includes(port))).toEqual([]);
    const kernel = await bindKernel(connection);
    release();
    kernel.close();
  });

  it("takes what it is given", async () => {
    const { connection, release } = await createConnectionFile({
      path: fresh(),
      shell_port: 5555,
      key: "mine",
      extra: [1],
    });
    release();
    expect(connection).toMatchObject({ shell_port: 5555, key: "mine", extra: [1] });
    await expect(createConnectionFile({ path: fresh(), shell_port: 0 })).rejects.toThrow(/shell_port/);
    await expect(createConnectionFile({ path: fresh(), ip: "203.0.113.1" })).rejects.toThrow();
  });

  it("over ipc: paths that are no socket's yet", async () => {
    const path = fresh();
    const { connection } = await createConnectionFile({ path, transport: "ipc" });
    expect(connection.ip).toBe(`${path.slice(0, -5)}-ipc`);
    const kernel = await bindKernel(connection);
    const next = await createConnectionFile({ path, transport: "ipc" });
    expect(next.connection.shell_port).toBe(6);
    kernel.close();
  });

  it("goes into Jupyter's runtime folder", async () => {
    expect(runtimeDir({ JUPYTER_RUNTIME_DIR: "/r" })).toBe("/r");
    expect(runtimeDir({ JUPYTER_DATA_DIR: "/d" })).toBe("/d/runtime");
    expect(runtimeDir({ XDG_DATA_HOME: "/x" })).toBe("/x/jupyter/runtime");
    if (process.platform === "linux")
      expect(runtimeDir({})).toBe(join(homedir(), ".local/share/jupyter/runtime"));
    const before = process.env.JUPYTER_RUNTIME_DIR;
    process.env.JUPYTER_RUNTIME_DIR = join(folder, "runtime");
    const { path, release } = await createConnectionFile();
    release();
    if (before === undefined) delete process.env.JUPYTER_RUNTIME_DIR;
    else process.env.JUPYTER_RUNTIME_DIR = before;
    expect(path).toMatch(/runtime\/kernel-[0-9a-f-]{36}\.json$/);
    expect(statSync(join(folder, "runtime")).mode & 0o777).toBe(0o700);
  });
});

describe("a connection file that cannot be used", () => {
  function written(text: string, mode = 0o600): string {
    const path = join(folder, `bad-${files++}.json`);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  it.each([0o644, 0o640, 0o604, 0o660])("others can read or write it: mode %o", (mode) => {
    expect(() => readConnectionFile(written(JSON.stringify(INFO), mode))).toThrow(/chmod 600/);
  });

  it("is not there, a folder, cut, no JSON, and never quoted", () => {
    expect(() => readConnectionFile(join(folder, "nowhere"))).toThrow(/ENOENT/);
    expect(() => readConnectionFile(folder)).toThrow(/not a regular file/);
    const secret = '{"key": "SECRET';
    for (const text of ["", secret, "[]", "null", "7"]) {
      const path = written(text);
      expect(() => readConnectionFile(path)).toThrow(/Connection info/);
      expect(() => readConnectionFile(path)).not.toThrow(/SECRET/);
    }
    symlinkSync(written(JSON.stringify(INFO), 0o644), join(folder, "link"));
    expect(() => readConnectionFile(join(folder, "link"))).toThrow(/chmod 600/);
  });

  it.each([
    [{ transport: "udp" }, /transport/],
    [{ shell_port: "1" }, /shell_port/],
    [{ hb_port: 65_536 }, /hb_port/],
    [{ iopub_port: 1.5 }, /iopub_port/],
    [{ stdin_port: undefined }, /stdin_port/],
    [{ iopub_port: 1 }, /same port/],
    [{ ip: "" }, /ip/],
    [{ ip: "a b" }, /ip/],
    [{ key: 7 }, /key/],
    [{ signature_scheme: "none" }, /hmac-/],
    [{ kernel_name: 7 }, /kernel_name/],
    [{ curve_publickey: "short" }, /curve_publickey/],
  ])("%j", (over, message) => {
    expect(() => checkConnection({ ...INFO, ...over })).toThrow(message);
  });

  it("an empty key is refused unless the application says so by name", async () => {
    const { connection, release } = await createConnectionFile({ path: fresh(), key: "" });
    await expect(bindKernel(connection)).rejects.toThrow(/unsigned: true/);
    (await bindKernel(connection, { unsigned: true })).close();
    release();
  });

  it("half of CURVE's keys", async () => {
    const { publicKey, secretKey } = zmq.curveKeyPair();
    await expect(bindKernel(checkConnection({ ...INFO, curve_publickey: publicKey }))).rejects.toThrow(
      /both/,
    );
    await expect(bindKernel(checkConnection({ ...INFO, curve_secretkey: secretKey }))).rejects.toThrow(
      /both/,
    );
  });
});

describe("addresses", () => {
  it.each([
    [{}, "tcp://127.0.0.1:1"],
    [{ ip: "::1" }, "tcp://[::1]:1"],
    [{ ip: "localhost" }, "tcp://localhost:1"],
    [{ transport: "ipc", ip: "/run/kernel-ipc" }, "ipc:///run/kernel-ipc-1"],
  ])("%j", (over, address) => {
    expect(addressOf(checkConnection({ ...INFO, ...over }), "shell")).toBe(address);
  });
});

describe("a watch", () => {
  it("tells what the file says, when that changes, when it is gone, when it is bad", async () => {
    const path = fresh();
    const first = await createConnectionFile({ path });
    const told: (ConnectionInfo | string)[] = [];
    const until = async (count: number) => {
      while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const close = watchConnectionFile(path, {
      onChange: (connection) => told.push(connection),
      onRemoved: () => told.push("removed"),
      onError: (error) => told.push(error.message),
    });
    await until(1);
    const second = await createConnectionFile({ path });
    await until(2);
    rmSync(path);
    await until(3);
    writeFileSync(path, "{", { mode: 0o600 });
    await until(4);
    close();
    for (const { release } of [first, second]) release();
    expect(told.slice(0, 3)).toEqual([first.connection, second.connection, "removed"]);
    expect(told[3]).toMatch(/no JSON/);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("{");
  });
});
