// All five sockets of one end, bound or connected to where a connection says.

import type * as zmq from "zeromq";
import {
  addressOf,
  type ConnectionInfo,
  checkConnection,
  curveClient,
  curveServer,
  keyOf,
} from "./connection.js";
import { type EchoOptions, Heartbeat, HeartbeatEcho } from "./heartbeat.js";
import type { Channel, Role } from "./message.js";
import type { SessionOptions } from "./options.js";
import { CHANNELS } from "./place.js";
import { Session } from "./session.js";
import { JupyterSocket, type JupyterSocketOptions, optionsFor } from "./socket.js";

/** Options of both ends: a session's, and zeromq.js's for every socket. */
export interface EndOptions extends Omit<SessionOptions, "role" | "key" | "scheme"> {
  /** zeromq.js's own options, for every socket that has them: they go before Jupyter's. */
  readonly socket?: (JupyterSocketOptions & { readonly context?: zmq.Context }) | undefined;
}

/** Options of a kernel's end. */
export interface KernelEndOptions extends EndOptions {
  /** Where heartbeats are answered: see {@link EchoOptions}. Default "loop". */
  readonly heartbeat?: EchoOptions["on"];
}

/** The four channels' sockets and the session behind them. */
interface Channels extends Readonly<Record<Channel, JupyterSocket>> {
  /** Identity, key and memory. */
  readonly session: Session;
  /** Closes every socket, and ends the session's claim to its name. */
  close(): void;
}

/** A kernel's sockets. */
export interface KernelSockets extends Channels {
  /** Echoes heartbeats. */
  readonly heartbeat: HeartbeatEcho;
}

/** A client's sockets. */
export interface ClientSockets extends Channels {
  /** Asks for heartbeats. */
  readonly heartbeat: Heartbeat;
}

/**
 * A kernel: binds ROUTERs for shell, control and stdin, an XPUB for iopub, and echoes heartbeats.
 *
 * @example
 * const { connection, release } = await createConnectionFile();
 * const kernel = await bindKernel(connection);
 * release();
 * for await (const request of kernel.shell) {
 *   await kernel.shell.send(kernel.session.reply(request, { status: "ok" }), request);
 * }
 */
export async function bindKernel(
  info: ConnectionInfo,
  { heartbeat: on = "loop", ...options }: KernelEndOptions = {},
): Promise<KernelSockets> {
  const connection = checkConnection(info);
  const curve = curveServer(connection);
  const ends = openEnd("kernel", connection, options, curve);
  const heartbeat = new HeartbeatEcho({ ...curve, on });
  const kernel = { ...ends, heartbeat, close: () => closeAll(ends, heartbeat) };
  try {
    for (const channel of CHANNELS) await ends[channel].bind(addressOf(connection, channel));
    await heartbeat.bind(addressOf(connection, "hb"));
    return kernel;
  } catch (error) {
    kernel.close();
    throw error;
  }
}

/**
 * A client: connects DEALERs for shell, control and stdin, a SUB for iopub that subscribes to everything, and a REQ for
 * heartbeats.
 *
 * @example
 * const client = connectClient(readConnectionFile(path));
 * await client.shell.send(client.session.message("kernel_info_request"));
 * const reply = await client.shell.receive();
 */
export function connectClient(info: ConnectionInfo, options: EndOptions = {}): ClientSockets {
  return openClient(info, options, () => {});
}

/** The same; `prepare` is called with the sockets before they connect. */
export function openClient(
  info: ConnectionInfo,
  options: EndOptions,
  prepare: (channels: Readonly<Record<Channel, JupyterSocket>>) => void,
): ClientSockets {
  const connection = checkConnection(info);
  const curve = curveClient(connection);
  const ends = openEnd("client", connection, options, curve);
  const heartbeat = new Heartbeat(curve);
  const client = { ...ends, heartbeat, close: () => closeAll(ends, heartbeat) };
  try {
    prepare(ends);
    for (const channel of CHANNELS) ends[channel].connect(addressOf(connection, channel));
    heartbeat.connect(addressOf(connection, "hb"));
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** The channels of one end, neither bound nor connected yet. */
function openEnd(role: Role, connection: ConnectionInfo, options: EndOptions, curve: object): Ends {
  const { socket, ...session } = options;
  const named = new Session({ ...keyFor(connection, session), ...session, role });
  return openChannels(named, { ...socket, ...curve });
}

/** Where an application says that nothing is signed, an empty key is what it means. */
function keyFor(connection: ConnectionInfo, { unsigned }: Pick<SessionOptions, "unsigned">) {
  return unsigned && connection.key === "" ? {} : keyOf(connection);
}

type Ends = Omit<Channels, "close">;

function openChannels(session: Session, options: JupyterSocketOptions): Ends {
  const opened: Partial<Record<Channel, JupyterSocket>> = {};
  try {
    for (const channel of CHANNELS) {
      const own = optionsFor(session.role as Role, channel, options);
      opened[channel] = new JupyterSocket(session, channel, own);
    }
  } catch (error) {
    for (const socket of Object.values(opened)) socket.close();
    session.close();
    throw error;
  }
  return { ...(opened as Record<Channel, JupyterSocket>), session };
}

function closeAll(ends: Ends, heartbeat: { close(): void }): void {
  for (const channel of CHANNELS) ends[channel].close();
  heartbeat.close();
  ends.session.close();
}
