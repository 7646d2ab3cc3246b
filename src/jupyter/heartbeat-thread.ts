// A heartbeat that answers while JavaScript is busy: ZeroMQ's own proxy carries it, in a thread of libuv's pool, to a DEALER
// that is connected to itself, and back. Messages over 1,024 bytes end their connection.

import { randomUUID } from "node:crypto";
import * as zmq from "zeromq";

const LINGER = 0;
const MOST_BYTES = 1024;
/** libuv's pool has four threads unless told otherwise, and file systems and name servers wait for them too. */
const MOST_THREADS = 2;

let threads = 0;

/** Whether this process may have another one. */
export function mayEchoInThread(): boolean {
  return threads < MOST_THREADS;
}

/**
 * Echoes whatever comes to the address, until it is stopped.
 *
 * @param options  zeromq.js's, for the socket that is bound
 */
export async function echoInThread(
  address: string,
  options: zmq.SocketOptions<zmq.Router>,
): Promise<{ readonly endpoint: string | null; stop(): void }> {
  const front = new zmq.Router({ ...options, linger: LINGER, maxMessageSize: MOST_BYTES });
  const { context } = options as { context?: zmq.Context };
  const mirror = new zmq.Dealer({ linger: LINGER, ...(context && { context }) });
  const ownAddress = `inproc://countersign-heartbeat-${randomUUID()}`;
  try {
    await front.bind(address);
    await mirror.bind(ownAddress);
    mirror.connect(ownAddress);
  } catch (error) {
    front.close();
    mirror.close();
    throw error;
  }
  const endpoint = front.lastEndpoint;
  const proxy = new zmq.Proxy(front, mirror);
  threads++;
  const running = proxy.run().catch(ignore);
  void running.then(() => threads--);
  let stopped = false;
  const stop = () => {
    if (!stopped) proxy.terminate();
    stopped = true;
    process.off("exit", stop);
  };
  // ZeroMQ waits for its sockets when a process exits, and the proxy would never let go of these.
  process.on("exit", stop);
  return { endpoint, stop };
}

function ignore(): void {
  // It ends when its context does: then nobody asks any more.
}
