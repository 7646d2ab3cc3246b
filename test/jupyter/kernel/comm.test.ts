// Comms between the kits: opened from either end, binary buffers both ways, closed, and what is none of that.

import { type Comm, type CommMessage, KernelClient } from "countersign/jupyter";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { deferred, pair } from "./pair.js";

describe("comms", () => {
  it("opened by the client: messages and buffers both ways, then closed", async () => {
    const opened = deferred<[Comm, CommMessage]>();
    const closed = deferred<CommMessage>();
    const echo = (comm: Comm, opening: CommMessage) => {
      comm.onMessage = ({ data, buffers }) => comm.send({ ...data, echoed: true }, { buffers });
      comm.onClose = closed.resolve;
      opened.resolve([comm, opening]);
    };
    const { client, kernel } = await pair({ kernel: { comms: { echo } } });
    const heard = deferred<CommMessage>();
    const bytes = Buffer.from([0, 1, 2, 255]);
    const comm = await client.comms.open(
      "echo",
      { hello: 1 },
      { buffers: [bytes], onMessage: heard.resolve },
    );
    const [, opening] = await opened.promise;
    expect(opening).toMatchObject({ data: { hello: 1 }, buffers: [bytes], unsignedBuffers: false });
    expect(await client.commInfo()).toEqual({ [comm.id]: "echo" });
    expect(await client.commInfo("other")).toEqual({});
    const large = Buffer.alloc(300_000, 7);
    await comm.send({ n: 1 }, { buffers: [bytes, large] });
    const { data, buffers } = await heard.promise;
    expect(data).toEqual({ n: 1, echoed: true });
    expect(Buffer.concat(buffers).equals(Buffer.concat([bytes, large]))).toBe(true);
    await comm.close({ bye: true });
    expect((await closed.promise).data).toEqual({ bye: true });
    expect(kernel.comms.info()).toEqual({});
    await expect(comm.send({})).rejects.toThrow(/closed/);
  });

  it("opened by the kernel, in a cell and outside of one", async () => {
    const arrived: CommMessage[] = [];
    const both = deferred();
    const take = (comm: Comm, opening: CommMessage) => {
      arrived.push(opening);
      void comm.send({ got: opening.data.n });
      if (arrived.length === 2) both.resolve();
    };
    const answers: unknown[] = [];
    const answered = deferred();
    const onMessage = ({ data }: CommMessage) => {
      answers.push(data.got);
      if (answers.length === 2) answered.resolve();
    };
    const { client, kernel } = await pair({
      client: { comms: { view: take } },
      handlers: {
        execute: async (_, cell) => void (await cell.openComm("view", { n: 1 }, { onMessage })) as undefined,
      },
    });
    await client.execute("").reply;
    await kernel.comms.open("view", { n: 2 }, { onMessage });
    await both.promise;
    await answered.promise;
    expect(arrived.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(answers.sort()).toEqual([1, 2]);
  });

  it("a target that is not there, that throws, and messages that are none", async () => {
    const bad = () => {
      throw new Error("no");
    };
    const { client, kernel } = await pair({ kernel: { comms: { bad } } });
    for (const target of ["nowhere", "bad"]) {
      const closed = deferred<CommMessage>();
      await client.comms.open(target, {}, { onClose: closed.resolve });
      await closed.promise;
    }
    const { session, shell } = client.sockets;
    for (const content of [{}, { comm_id: 7 }, { comm_id: "x", data: 3 }, { comm_id: "x", data: {} }]) {
      await shell.send(session.message("comm_msg", content));
    }
    // Shell is in order: what was sent before has been taken when this is answered.
    expect((await client.execute("").reply).status).toBe("ok");
    expect(kernel.comms.refused).toBe(6);
  });

  it("opened by the kernel to a target that is not there: closed by who asked and has targets, and by nobody else", async () => {
    const closed: string[] = [];
    const { client, kernel, connection } = await pair({
      client: { comms: { view() {} } },
      handlers: {
        async execute({ code }, cell) {
          await cell.openComm(code, {}, { onClose: () => void closed.push(code) });
          return undefined;
        },
      },
    });
    const others = [
      await KernelClient.connect(connection, { comms: { other() {} } }),
      await KernelClient.connect(connection),
    ];
    onTestFinished(() => {
      for (const other of others) other.close();
    });
    await client.execute("view").reply;
    await others[1]!.execute("watched").reply;
    await client.execute("nowhere").reply;
    await vi.waitFor(() => expect(closed).not.toEqual([]), 20_000);
    // Shell is in order: what each sent of its own accord has been taken when this is answered.
    for (const each of [client, ...others]) await each.commInfo();
    expect(closed).toEqual(["nowhere"]);
    expect(Object.values(kernel.comms.info()).map((comm) => comm.target_name)).toEqual(["view", "watched"]);
  });

  it("the end of the kernel closes a client's comms", async () => {
    const { client, kernel } = await pair({ kernel: { comms: { quiet() {} } }, client: { deadAfter: 1000 } });
    const closed = deferred<CommMessage>();
    const comm = await client.comms.open("quiet", {}, { onClose: closed.resolve });
    await client.execute("").reply;
    kernel.close();
    await closed.promise;
    expect(comm.closed).toBe(true);
  });
});
