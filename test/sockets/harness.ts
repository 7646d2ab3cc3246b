// What the tests of the sockets have in common: a key, sockets that close with their test, endpoints of every
// transport, and plain sockets that speak as a stranger would.

import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey, type SigningOptions } from "countersign";
import { onTestFinished } from "vitest";

/** What every party holds unless a test says otherwise. */
export const KEY = generateKey();
/** The least that a signed socket must be told. */
export const signing: SigningOptions = { key: KEY };
/** Signing options of a party with a name. */
export const as = (sender: string, more: Partial<SigningOptions> = {}): SigningOptions => ({
  key: KEY,
  sender,
  ...more,
});

export const TRANSPORTS = ["tcp", "ipc", "inproc"] as const;
export type Transport = (typeof TRANSPORTS)[number];

interface Closable {
  close(): void;
}

/** Closes a socket when its test is over. */
export function opened<Socket extends Closable>(socket: Socket): Socket {
  onTestFinished(() => socket.close());
  return socket;
}

let endpoints = 0;

/** An endpoint that nobody uses, to bind to. Over tcp the system picks the port: see {@link bound}. */
export function endpoint(transport: Transport = "tcp"): string {
  if (transport === "tcp") return "tcp://127.0.0.1:*";
  const name = `${process.pid}-${++endpoints}`;
  if (transport === "inproc") return `inproc://${name}`;
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return `ipc://${folder}/${name}`;
}

interface Bindable {
  bind(address: string): Promise<void>;
  readonly lastEndpoint: string | null;
}

/** Binds a socket to an endpoint of its own; returns where to connect to. */
export async function bound(socket: Bindable, transport: Transport = "tcp"): Promise<string> {
  await socket.bind(endpoint(transport));
  return socket.lastEndpoint as string;
}

/** An endpoint where nobody listens now, but somebody may later. Not over tcp: another test could get the port. */
export const vacant = (): string => endpoint("ipc");

/** Closes what was bound to a {@link vacant} endpoint, and waits until nobody listens there: ZeroMQ closes in the background. */
export async function retired(socket: Closable, address: string): Promise<void> {
  socket.close();
  while (await listens(address.slice("ipc://".length))) await pause(2);
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** A message as text, frame by frame. */
export const text = (message: readonly Buffer[]): string[] => message.map(String);

/** Rejects with the error of an operation that must fail, whether it throws or rejects. */
export async function failure(operation: () => unknown): Promise<Error & { code?: string; errno?: number }> {
  try {
    await operation();
  } catch (error) {
    return error as Error;
  }
  throw new Error("the operation succeeded");
}

/** Waits until something is so. Nothing is timed: a test whose condition never comes fails at its own limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Lets everything that is due on this thread happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Gives the peers time to do something that they must not do, or that nothing here can see. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
