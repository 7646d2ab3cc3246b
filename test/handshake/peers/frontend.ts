// As much of PostgreSQL's protocol 3.0 (its documentation, "Message Formats") as a login by SCRAM takes, for a client; and a
// server that lies.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type AnyRole, type Failure, type Proven, plainScramClient } from "countersign/handshake";

const CONTEXT = { theirs: Buffer.alloc(0), ours: Buffer.alloc(0), client: "client", random: randomBytes };

interface Packet {
  readonly type: string;
  readonly body: Buffer;
}

async function* packets(socket: Socket, untyped: boolean): AsyncGenerator<Packet> {
  let held = Buffer.alloc(0);
  let first = untyped;
  for await (const bytes of socket) {
    held = Buffer.concat([held, bytes as Buffer]);
    for (;;) {
      const at = first ? 0 : 1;
      if (held.length < at + 4 || held.length < at + held.readInt32BE(at)) break;
      const end = at + held.readInt32BE(at);
      yield { type: first ? "" : String.fromCharCode(held[0] as number), body: held.subarray(at + 4, end) };
      held = held.subarray(end);
      first = false;
    }
  }
}

function packet(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string) => Buffer.from(`${value}\0`);

/** What a login came to. */
export type Login = "ok" | "rejected" | Failure | "never proven";

/** Logs in by our own client; "ok" only when both ends have proven themselves. */
export async function logIn(path: string, user: string, password: string): Promise<Login> {
  const socket = connect(path);
  try {
    socket.write(
      packet("", int32(196_608), text("user"), text(user), text("database"), text("postgres"), text("")),
    );
    return await exchange(socket, plainScramClient({ user: "", password }));
  } finally {
    socket.destroy();
  }
}

async function exchange(socket: Socket, role: AnyRole<Proven>): Promise<Login> {
  let state = role.initial;
  let proven = false;
  for await (const { type, body } of packets(socket, false)) {
    if (type === "E") return "rejected";
    if (type !== "R") continue;
    const kind = body.readInt32BE(0);
    // AuthenticationOk: worth nothing before the server's signature.
    if (kind === 0) return proven ? "ok" : "never proven";
    const step = await role.step(state, kind === 10 ? Buffer.alloc(0) : body.subarray(4), CONTEXT);
    state = step.state;
    if (step.error !== undefined) return step.error;
    proven ||= step.done !== undefined;
    const send = step.send ?? Buffer.alloc(0);
    if (kind === 10) socket.write(packet("p", text("SCRAM-SHA-256"), int32(send.length), send));
    else if (step.send !== undefined) socket.write(packet("p", send));
  }
  return "rejected";
}

/** A server without any password: it lets in whoever comes, and proves nothing. Asks for `iterations`. */
export async function lyingServer(path: string, iterations: number): Promise<Server> {
  const server = createServer(async (socket) => {
    socket.on("error", () => {});
    let step = 0;
    for await (const { type, body } of packets(socket, true)) {
      if (type === "" && body.readInt32BE(0) === 80_877_103) socket.write("N");
      else if (type === "") socket.write(packet("R", int32(10), text("SCRAM-SHA-256"), Buffer.from([0])));
      else if (type === "p" && step++ === 0) {
        const nonce = /r=(.*)$/.exec(body.toString())?.[1];
        const first = `r=${nonce}mallory,s=${Buffer.alloc(16, 1).toString("base64")},i=${iterations}`;
        socket.write(packet("R", int32(11), Buffer.from(first)));
      } else if (type === "p") {
        // No AuthenticationSASLFinal, no signature.
        socket.write(Buffer.concat([packet("R", int32(0)), packet("Z", Buffer.from("I"))]));
      }
    }
  });
  server.listen(path);
  await once(server, "listening");
  return server;
}
