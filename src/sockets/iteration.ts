// `for await` over a socket's messages: what zeromq.js does, with one promise a message less.

import { codeOf } from "./zmq-errors.js";

/** What is iterated over. */
interface Receiver<Message> {
  readonly closed: boolean;
  receive(): Promise<Message>;
}

/** What zeromq.js says of a socket that is closed, or was while somebody waited for a message. */
const CLOSED = ["EAGAIN", "EBADF", "ENOTSOCK"];

/** The messages of a socket until it is closed. */
export function messagesOf<Message>(socket: Receiver<Message>): AsyncIterator<Message, undefined> {
  type Result = IteratorResult<Message, undefined>;
  const given = (value: Message): Result => ({ value, done: false });
  const failed = (error: unknown): Result => {
    if (socket.closed && CLOSED.includes(codeOf(error) ?? "")) return { value: undefined, done: true };
    throw error;
  };
  return {
    next(): Promise<Result> {
      try {
        return socket.receive().then(given, failed);
      } catch (error) {
        return Promise.reject(error).then(given, failed);
      }
    },
  };
}
