// ZMTP 3.0 and 3.1 (RFC 23, RFC 37) as bytes on a TCP stream: just enough to cut a stream into greeting, commands and
// whole multipart messages, and to write commands and messages back. No sockets and no state but the parser's own.

export type Frames = readonly Buffer[];

export type Item =
  | { readonly kind: "greeting"; readonly bytes: Buffer }
  | { readonly kind: "command"; readonly name: string; readonly data: Buffer }
  | { readonly kind: "message"; readonly frames: Frames };

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** Both ends of libzmq wait for one another within the greeting, so it has to be passed on in these pieces. */
const GREETING_PIECES = [10, 1, 53];

/** Takes chunks as they come from a stream, however cut, and emits what they spell. */
export function zmtpParser(emit: (item: Item) => void): (chunk: Buffer) => void {
  const grammar = zmtpGrammar(emit);
  let pending: Buffer[] = [];
  let available = 0;
  let needed = grammar.next().value as number;
  return (chunk) => {
    pending.push(chunk);
    available += chunk.length;
    while (available >= needed) {
      const all = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending, available);
      const rest = all.subarray(needed);
      pending = rest.length > 0 ? [rest] : [];
      available = rest.length;
      needed = grammar.next(all.subarray(0, needed)).value as number;
    }
  };
}

/** Yields how many bytes it needs next, and is sent exactly these. The RFC's grammar, read top to bottom. */
function* zmtpGrammar(emit: (item: Item) => void): Generator<number, never, Buffer> {
  for (const length of GREETING_PIECES) emit({ kind: "greeting", bytes: yield length });
  let frames: Buffer[] = [];
  for (;;) {
    const flags = (yield 1).readUInt8();
    const length = flags & LONG ? Number((yield 8).readBigUInt64BE()) : (yield 1).readUInt8();
    const body = Buffer.from(yield length);
    if (flags & COMMAND) {
      emit(parseCommand(body));
      continue;
    }
    frames.push(body);
    if (flags & MORE) continue;
    emit({ kind: "message", frames });
    frames = [];
  }
}

function parseCommand(body: Buffer): Item {
  const end = 1 + body.readUInt8();
  return { kind: "command", name: body.toString("latin1", 1, end), data: body.subarray(end) };
}

export function encodeMessage(frames: Frames): Buffer {
  const last = frames.length - 1;
  return Buffer.concat(
    frames.flatMap((frame, index) => [frameHead(index < last ? MORE : 0, frame.length), frame]),
  );
}

export function encodeCommand(name: string, data: Uint8Array): Buffer {
  const length = 1 + name.length + data.length;
  return Buffer.concat([
    frameHead(COMMAND, length),
    Buffer.of(name.length),
    Buffer.from(name, "latin1"),
    data,
  ]);
}

function frameHead(flags: number, length: number): Buffer {
  if (length <= 255) return Buffer.of(flags, length);
  const head = Buffer.alloc(9);
  head.writeUInt8(flags | LONG);
  head.writeBigUInt64BE(BigInt(length), 1);
  return head;
}
