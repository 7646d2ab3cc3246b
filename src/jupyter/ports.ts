// Free ports, kept until somebody binds them. A port that was found free and let go may be another's a moment later
// (jupyter_client issue 487), so each is kept by an established connection from it: nobody is given it for the asking, and
// whoever wants just that port, with SO_REUSEADDR as libzmq does, can still bind it and listen.

import { once } from "node:events";
import { connect, createServer, isIP, type Server, type Socket } from "node:net";
import { wrong } from "./connection.js";

/** Ports of one address that are nobody else's. */
export class HeldPorts {
  /** The ports. */
  readonly ports: readonly number[];
  readonly #holders: readonly Socket[];

  private constructor(holders: readonly Socket[]) {
    this.#holders = holders;
    this.ports = holders.map(({ localPort }) => localPort as number);
  }

  /** Finds and keeps `count` free ports of `ip`, which must be an address of this machine. */
  static async hold(ip: string, count: number): Promise<HeldPorts> {
    const address = ip === "*" || ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip;
    if (isIP(address) === 0)
      throw wrong(`Free ports are looked for on an address of this machine, and ${ip} is none.`);
    const server = createServer((peer) => peer.on("error", ignore).resume());
    try {
      server.listen(0, address);
      await once(server, "listening");
      const holders: Socket[] = [];
      for (let i = 0; i < count; i++) holders.push(await holder(server, address));
      return new HeldPorts(holders);
    } finally {
      server.close();
      server.unref();
    }
  }

  /** Lets the ports go: they are bound, or not wanted any more. */
  release(): void {
    for (const socket of this.#holders) socket.resetAndDestroy();
  }
}

/** A connection from a port of its own. It keeps no process alive. */
async function holder(server: Server, address: string): Promise<Socket> {
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: address, localAddress: address });
  socket.on("error", ignore);
  await once(socket, "connect");
  socket.unref();
  return socket;
}

function ignore(): void {
  // The connection is there for its port alone.
}
