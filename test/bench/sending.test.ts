// How sockets are driven: in order, no more under way than told, and plain ones as zeromq.js allows.

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { driver } from "../../bench/sending.js";

/** A socket that counts what is under way, and refuses more than `most` as zeromq.js does. */
function fakeSocket(most: number) {
  const sent: number[] = [];
  let underWay = 0;
  let highest = 0;
  return {
    sent,
    highest: () => highest,
    send(message: Buffer[]): Promise<void> {
      if (underWay >= most) throw Object.assign(new Error("Socket is busy"), { code: "EBUSY" });
      sent.push(message[0]!.readUInt32BE());
      highest = Math.max(highest, ++underWay);
      return turn().then(() => void underWay--);
    },
  };
}

async function sendAll(
  socket: ReturnType<typeof fakeSocket>,
  count: number,
  bytes: number,
  how: "awaited" | "windowed",
) {
  const { send, settled } = driver(socket, how, bytes);
  for (let i = 0; i < count; i++) {
    const frame = Buffer.alloc(4);
    frame.writeUInt32BE(i);
    const sending = send([frame]);
    if (sending) await sending;
  }
  await settled();
  return socket;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a driver", () => {
  test("awaits each send", async () => {
    const socket = await sendAll(fakeSocket(1), 50, 64, "awaited");
    expect([socket.sent, socket.highest()]).toEqual([numbers(50), 1]);
  });

  test("has up to 512 under way in a window", async () => {
    const socket = await sendAll(fakeSocket(Number.POSITIVE_INFINITY), 2_000, 64, "windowed");
    expect([socket.sent, socket.highest()]).toEqual([numbers(2_000), 512]);
  });

  test("has fewer of large ones", async () => {
    const socket = await sendAll(fakeSocket(Number.POSITIVE_INFINITY), 200, 2 ** 20, "windowed");
    expect([socket.sent, socket.highest()]).toEqual([numbers(200), 32]);
  });

  test.each([1, 7, 100])("waits for a socket that takes %i at a time, and loses nothing", async (most) => {
    const socket = await sendAll(fakeSocket(most), 500, 64, "windowed");
    expect([socket.sent, socket.highest()]).toEqual([numbers(500), most]);
  });

  test("fails when a send fails", async () => {
    const { send, settled } = driver({ send: async () => Promise.reject(new Error("gone")) }, "windowed", 64);
    void send([]);
    await expect(settled()).rejects.toThrow("gone");
  });

  test("fails at once when a send is refused for another reason", () => {
    const refuse = () => {
      throw Object.assign(new Error("closed"), { code: "EBADF" });
    };
    expect(() => driver({ send: refuse }, "windowed", 64).send([])).toThrow("closed");
  });
});
