// Connection info: where a kernel is, and with what key one speaks to it (Jupyter messaging, "Connection files"). Read from
// text with every field checked, and turned into addresses and socket options.

import { isIP } from "node:net";
import * as zmq from "zeromq";
import { misuse } from "../errors.js";
import type { Channel } from "./message.js";
import type { SessionOptions } from "./options.js";
import { DEFAULT_SCHEME, signatureKey } from "./scheme.js";

/** What a connection file says. Other fields are carried through. */
export interface ConnectionInfo {
  /** Port of the shell channel; with `ipc` a number that ends the socket's path, as all of them. */
  readonly shell_port: number;
  /** Port of the iopub channel. */
  readonly iopub_port: number;
  /** Port of the stdin channel. */
  readonly stdin_port: number;
  /** Port of the control channel. */
  readonly control_port: number;
  /** Port of the heartbeat. */
  readonly hb_port: number;
  /** The address that the kernel binds; with `ipc` the beginning of the sockets' paths. */
  readonly ip: string;
  /** "tcp" or "ipc". */
  readonly transport: "tcp" | "ipc";
  /** The key, as text; empty if nothing is signed. */
  readonly key: string;
  /** "hmac-" and the name of a hash. */
  readonly signature_scheme: string;
  /** The kernelspec's name; may be empty. */
  readonly kernel_name: string;
  /** The kernel's CURVE public key, Z85 (ipykernel 7.3, JEP 145). */
  readonly curve_publickey?: string | undefined;
  /** Its secret key, Z85: the file is private. */
  readonly curve_secretkey?: string | undefined;
  /** Whatever else stands there. */
  readonly [field: string]: unknown;
}

/** The channels that a connection has a port for. */
export const PORTS = ["shell", "iopub", "stdin", "control", "hb"] as const;

const Z85 = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;

/** Checks connection info from outside: every field in its range, all five ports different. */
export function checkConnection(given: unknown): ConnectionInfo {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw wrong("It is no JSON object.");
  const info = {
    transport: "tcp",
    kernel_name: "",
    signature_scheme: DEFAULT_SCHEME,
    ...given,
  } as ConnectionInfo;
  if (info.transport !== "tcp" && info.transport !== "ipc") throw wrong('transport must be "tcp" or "ipc".');
  for (const channel of PORTS) {
    const port = info[`${channel}_port`];
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw wrong(`${channel}_port must be a number from 1 to 65535; got ${JSON.stringify(port)}.`);
    }
  }
  if (new Set(PORTS.map((channel) => info[`${channel}_port`])).size < PORTS.length) {
    throw wrong("Two channels have the same port.");
  }
  if (typeof info.ip !== "string" || info.ip === "" || info.ip.includes("\0"))
    throw wrong("ip must be a text.");
  if (info.transport === "tcp" && isIP(info.ip) === 0 && !HOST.test(info.ip)) {
    throw wrong(`ip must be an address or a host's name; got ${JSON.stringify(info.ip.slice(0, 80))}.`);
  }
  if (typeof info.key !== "string") throw wrong('key must be a text; "" if nothing is signed.');
  if (typeof info.kernel_name !== "string") throw wrong("kernel_name must be a text.");
  checkScheme(info.signature_scheme);
  for (const name of ["curve_publickey", "curve_secretkey"] as const) {
    const key = info[name];
    if (key !== undefined && key !== null && !(typeof key === "string" && Z85.test(key))) {
      throw wrong(`${name} must be 40 characters of Z85.`);
    }
  }
  return info;
}

const HOST = /^(\*|[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)$/i;

function checkScheme(scheme: unknown): void {
  try {
    signatureKey(scheme as string, Buffer.from("key"));
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
}

/** The address of a channel: `tcp://127.0.0.1:5001`, `ipc:///run/kernel-1-ipc-1`. */
export function addressOf(info: ConnectionInfo, channel: Channel | "hb"): string {
  const port = info[`${channel}_port`] as number;
  if (info.transport === "ipc") return `ipc://${info.ip}-${port}`;
  return `tcp://${isIP(info.ip) === 6 ? `[${info.ip}]` : info.ip}:${port}`;
}

/**
 * A session's key and scheme. An empty key is an error here too: where it is meant, give `unsigned: true` in its place.
 */
export function keyOf(
  info: Pick<ConnectionInfo, "key" | "signature_scheme">,
): Pick<SessionOptions, "key" | "scheme"> {
  return { key: info.key, scheme: info.signature_scheme };
}

/** The CURVE options of a kernel's sockets; none where the connection has no such keys. */
export function curveServer({ curve_publickey, curve_secretkey }: ConnectionInfo): object {
  if (!curve_publickey && !curve_secretkey) return {};
  if (curve_publickey && curve_secretkey) {
    return { curveServer: true, curvePublicKey: curve_publickey, curveSecretKey: curve_secretkey };
  }
  throw wrong("A kernel needs both of its CURVE keys: curve_publickey and curve_secretkey.");
}

/** The CURVE options of a client's sockets: the kernel's public key, and a pair of its own, made now. */
export function curveClient({ curve_publickey, curve_secretkey }: ConnectionInfo): object {
  if (!curve_publickey && curve_secretkey) throw wrong("A client needs the kernel's curve_publickey.");
  if (!curve_publickey) return {};
  const { publicKey, secretKey } = zmq.curveKeyPair();
  return { curveServerKey: curve_publickey, curvePublicKey: publicKey, curveSecretKey: secretKey };
}

/** An error about connection info. */
export function wrong(what: string, cause?: unknown): Error {
  return misuse("ERR_COUNTERSIGN_CONNECTION", `Connection info: ${what}`, { cause });
}
