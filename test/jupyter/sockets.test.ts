// Jupyter's sockets over real transports: both ends, their options, and what an attacker on the way gets through.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bindKernel,
  type ClientSockets,
  connectClient,
  createConnectionFile,
  type EndOptions,
  HeartbeatEcho,
  JupyterSocket,
  type KernelSockets,
  type NewConnection,
  type ReceivedMessage,
} from "countersign/jupyter";
import { afterEach, describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { retired } from "../sockets/harness.js";
import { clientOf, kernelOf } from "./ends.js";

const folder = mkdtempSync(join(tmpdir(), "jupyter-sockets-"));
const closers: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterEach(() => {
  for (const close of closers.splice(1).reverse()) close();
});

function opened<Socket extends { close(): void }>(socket: Socket): Socket {
  closers.push(() => socket.close());
  return socket;
}

let files = 0;
async function ends(
  given: NewConnection = {},
  options: EndOptions = {},
): Promise<[KernelSockets, ClientSockets]> {
  const created = await createConnectionFile({ path: join(folder, `kernel-${files++}.json`), ...given });
  const kernel = opened(
    await bindKernel(created.connection, { socket: { receiveTimeout: 20_000 }, ...options }),
  );
  created.release();
  const client = opened(
    connectClient(created.connection, { socket: { receiveTimeout: 20_000 }, ...options }),
  );
  return [kernel, client];
}

/** Asks on shell and answers there, so that both ends know that the connection stands. */
async function exchange(
  kernel: KernelSockets,
  client: ClientSockets,
): Promise<[ReceivedMessage, ReceivedMessage]> {
  await client.shell.send(client.session.message("kernel_info_request"));
  const request = await kernel.shell.receive();
  await kernel.shell.send(kernel.session.reply(request, { status: "ok" }), request);
  return [request, await client.shell.receive()];
}

describe.each(["tcp", "ipc"] as const)("both ends over %s", (transport) => {
  it("shell, control, stdin, iopub, heartbeat", async () => {
    const [kernel, client] = await ends({ transport });
    const [request, reply] = await exchange(kernel, client);
    expect(request.identities.map(String)).toEqual([client.session.id]);
    expect(request.origin).toMatchObject({
      sender: client.session.id,
      channel: "shell",
      pattern: "dealer",
      addressed: false,
    });
    expect(reply).toMatchObject({ header: { msg_type: "kernel_info_reply" }, parent_header: request.header });
    expect(reply.origin).toMatchObject({ sender: kernel.session.id, addressed: true });

    await client.control.send(client.session.message("shutdown_request", { restart: false }));
    expect((await kernel.control.receive()).content).toEqual({ restart: false });

    await kernel.stdin.send(
      kernel.session.message("input_request", { prompt: "?" }, { parent: request }),
      request,
    );
    const asked = await client.stdin.receive();
    await client.stdin.send(client.session.reply(asked, { value: "!" }));
    expect((await kernel.stdin.receive()).content).toEqual({ value: "!" });

    const welcome = await client.iopub.receive();
    expect(welcome).toMatchObject({
      header: { msg_type: "iopub_welcome" },
      parent_header: {},
      content: { subscription: "" },
    });
    await kernel.iopub.send(kernel.session.message("stream", { name: "stdout", text: "hi" }));
    await kernel.iopub.send(kernel.session.message("status", { execution_state: "idle" }), "another.topic");
    const stream = await client.iopub.receive();
    expect(stream.identities.map(String)).toEqual(["stream.stdout"]);
    expect((await client.iopub.receive()).identities.map(String)).toEqual(["another.topic"]);

    expect(await client.heartbeat.ping()).toBeGreaterThan(0);
    expect(await client.heartbeat.ping()).toBeGreaterThan(0);
    expect(kernel.shell.stats).toMatchObject({ accepted: 1, sent: 1, plain: 0, queued: 0 });
  });
});

describe("the library's machinery", () => {
  it("2,000 sends without await, mixed sizes: all sent, in order, none lost", async () => {
    const [kernel, client] = await ends(
      {},
      { socket: { receiveTimeout: 20_000, sendHighWaterMark: 10_000 } },
    );
    await exchange(kernel, client);
    const sends = Array.from({ length: 2000 }, (_, n) => {
      const buffers = n % 7 === 0 ? [Buffer.alloc(n * 10, n)] : [];
      return client.shell.send(client.session.message("comm_msg", { n }, { buffers }));
    });
    for (let n = 0; n < 2000; n++) {
      const message = await kernel.shell.receive();
      expect(message.content).toEqual({ n });
      expect(message.origin?.sequence).toBe(n + 2);
    }
    await Promise.all(sends);
    expect(client.shell.stats).toMatchObject({ sent: 2001, queued: 0 });
  });

  it("waits for a peer, spends no number on waiting, and gives up at sendTimeout", async () => {
    const client = clientOf();
    const shell = opened(new JupyterSocket(client, "shell", { immediate: true, sendTimeout: 50 }));
    shell.connect("tcp://127.0.0.1:1");
    await expect(shell.send(client.message("x"))).rejects.toMatchObject({ code: "EAGAIN" });
    shell.sendTimeout = -1;
    const waiting = shell.send(client.message("x"));
    expect(shell.stats.queued).toBe(1);
    const kernel = opened(new JupyterSocket(kernelOf({ since: 0 }), "shell", { receiveTimeout: 20_000 }));
    await kernel.bind("tcp://127.0.0.1:*");
    shell.connect(kernel.lastEndpoint as string);
    await waiting;
    expect((await kernel.receive()).origin?.sequence).toBe(1);
  });

  it("what is sent is what it was at the call", async () => {
    const [kernel, client] = await ends();
    const buffer = Buffer.alloc(1000, 1);
    const [content, metadata] = [{ n: 1 }, { m: [1] }];
    const sends = [1, 2].map(() =>
      client.shell.send(client.session.message("comm_msg", content, { buffers: [buffer], metadata })),
    );
    buffer.fill(2);
    content.n = 2;
    metadata.m[0] = 2;
    await Promise.all(sends);
    for (const _ of sends) {
      const message = await kernel.shell.receive();
      expect(message).toMatchObject({ content: { n: 1 }, metadata: { m: [1] } });
      expect(message.buffers[0]).toEqual(Buffer.alloc(1000, 1));
    }
  });

  it("a loop ends when the socket is closed, and junk does not end it", async () => {
    const reasons: string[] = [];
    const [kernel, client] = await ends({}, { onReject: ({ reason }) => void reasons.push(reason) });
    await exchange(kernel, client);
    const heard: string[] = [];
    const loop = (async () => {
      for await (const message of kernel.shell) heard.push(message.header.msg_type);
    })();
    const attacker = opened(new zmq.Dealer({ linger: 0 }));
    attacker.connect(kernel.shell.lastEndpoint as string);
    await attacker.send("junk");
    await attacker.send(["<IDS|MSG>", "", "{}", "{}", "{}", "{}"]);
    await attacker.send(["<IDS|MSG>", "a".repeat(64), "{}", "{}", "{}", "{}"]);
    await attacker.send(["<IDS|MSG>", Buffer.alloc(2 ** 20), "{}", "{}", "{}", "{}"]);
    while (reasons.length < 4) await new Promise((resolve) => setImmediate(resolve));
    await client.shell.send(client.session.message("x"));
    while (heard.length < 1) await new Promise((resolve) => setImmediate(resolve));
    kernel.close();
    await loop;
    expect(reasons.sort()).toEqual(["bad-signature", "malformed", "malformed", "unsigned"]);
    await expect(client.iopub.send(client.session.message("x"))).rejects.toMatchObject({ code: "ENOTSUP" });
  });

  it("zeromq.js's events are there", async () => {
    const kernel = opened(new JupyterSocket(kernelOf(), "shell"));
    const bound = new Promise((resolve) => kernel.events.on("bind", resolve));
    await kernel.bind("tcp://127.0.0.1:*");
    await bound;
  });
});

describe("Jupyter's options", () => {
  it("a client that comes back with its id gets its answers: handover", async () => {
    const [kernel, client] = await ends();
    await exchange(kernel, client);
    const again = opened(new JupyterSocket(client.session.clone(), "shell", { receiveTimeout: 20_000 }));
    again.connect(kernel.shell.lastEndpoint as string);
    await again.send(client.session.message("kernel_info_request"));
    const request = await kernel.shell.receive();
    await kernel.shell.send(kernel.session.reply(request, {}), request);
    expect((await again.receive()).parent_header).toEqual(request.header);
  });

  it("one's own go before them", async () => {
    const session = clientOf();
    const shell = opened(new JupyterSocket(session, "shell", { routingId: "mine", linger: 0 }));
    const kernel = opened(new JupyterSocket(kernelOf(), "shell", { receiveTimeout: 20_000 }));
    await kernel.bind("tcp://127.0.0.1:*");
    shell.connect(kernel.lastEndpoint as string);
    await shell.send(session.message("x"));
    expect((await kernel.receive()).identities.map(String)).toEqual(["mine"]);
  });

  it("one that no socket has is an error, in both ends", async () => {
    expect(() => new JupyterSocket(clientOf(), "shell", { lingre: 0 } as never)).toThrow();
    await expect(ends({}, { socket: { lingre: 0 } as never })).rejects.toThrow(/socket.lingre/);
  });

  it("every subscriber is welcomed on its own topic, the second one to the same topic too", async () => {
    const kernel = opened(new JupyterSocket(kernelOf(), "iopub"));
    await kernel.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 3; i++) {
      const client = opened(new JupyterSocket(clientOf(), "iopub", { receiveTimeout: 20_000 }));
      client.connect(kernel.lastEndpoint as string);
      expect((await client.receive()).content).toEqual({ subscription: "" });
    }
    const plain = opened(new zmq.Subscriber({ receiveTimeout: 20_000 }));
    plain.subscribe("stream.");
    plain.connect(kernel.lastEndpoint as string);
    expect(String((await plain.receive())[0])).toBe("stream.");
  });

  it("a kernel must say whom it answers, a client must not", async () => {
    const [kernel, client] = await ends();
    const message = kernel.session.message("x");
    await expect(kernel.shell.send(message)).rejects.toThrow(/send\(reply, request\)/);
    await expect(kernel.iopub.send(message, { identities: [] })).rejects.toThrow(/topic/);
    await expect(client.shell.send(message, { identities: [Buffer.from("x")] })).rejects.toThrow(
      /one kernel/,
    );
    expect(() => kernel.shell.subscribe("x")).toThrow(/iopub subscribes/);
  });

  it("CURVE keys of the connection file encrypt every channel", async () => {
    const { publicKey, secretKey } = zmq.curveKeyPair();
    const [kernel, client] = await ends({ curve_publickey: publicKey, curve_secretkey: secretKey });
    await exchange(kernel, client);
    await client.iopub.receive();
    expect(await client.heartbeat.ping()).toBeGreaterThan(0);
    const stranger = opened(new zmq.Dealer({ linger: 0, sendTimeout: 100, immediate: true }));
    stranger.connect(kernel.shell.lastEndpoint as string);
    await expect(stranger.send("x")).rejects.toMatchObject({ code: "EAGAIN" });
  });
});

describe("heartbeats", () => {
  it("say when nobody is there, and when somebody is again", async () => {
    // Not over tcp, where somebody else could get the port meanwhile.
    const [kernel, client] = await ends({ transport: "ipc" });
    const address = kernel.heartbeat.lastEndpoint as string;
    await client.heartbeat.ping();
    await retired(kernel.heartbeat, address);
    await expect(client.heartbeat.ping({ timeout: 100 })).rejects.toMatchObject({ code: "EAGAIN" });
    const again = opened(new HeartbeatEcho());
    await again.bind(address);
    expect(await client.heartbeat.ping({ timeout: 20_000 })).toBeGreaterThan(0);
  });

  it("echo frames as they came, and nothing large", async () => {
    const echo = opened(new HeartbeatEcho({ on: "loop" }));
    await echo.bind("tcp://127.0.0.1:*");
    const raw = opened(new zmq.Dealer({ receiveTimeout: 20_000 }));
    raw.connect(echo.lastEndpoint as string);
    await raw.send(Buffer.alloc(2000));
    await raw.send(["", "ping"]);
    expect((await raw.receive()).map(String)).toEqual(["", "ping"]);
  });
});

it("a client or kernel that cannot be made leaves nothing behind: its session's name is free again", async () => {
  const { connection, release } = await createConnectionFile({
    path: join(folder, `kernel-${files++}.json`),
  });
  const nowhere = { ...connection, ip: "not an address" };
  const session = "the-only-one";
  for (let i = 0; i < 3; i++) {
    expect(() => connectClient(nowhere, { session })).toThrow();
    await expect(bindKernel(nowhere, { session })).rejects.toThrow();
  }
  release();
  opened(connectClient(connection, { session }));
});
