// The attacks of docs/jupyter.md on this library, in the order of attacks.py: what becomes of each where the sender is plain
// Jupyter, and where it hardens.

import { execFileSync } from "node:child_process";
import {
  type ChannelSession,
  type JupyterVerdict,
  type Message,
  Session,
  type SessionOptions,
} from "countersign/jupyter";

const KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
const ENTRY_BYTES = 44;

interface Ends {
  readonly kernel: Session;
  readonly client: Session;
  readonly shell: ChannelSession;
  frames(buffers?: Buffer[]): Buffer[];
}

/** A row of the table: the number in ATTACKS, what is tried, and what comes of it. */
interface Attack {
  readonly row: number;
  readonly attack: string;
  run(harden: boolean): string;
}

function ends(harden: boolean, options: SessionOptions = {}): Ends {
  // The receiver is the same in both columns: what differs is whether its peer hardens.
  const kernel = new Session({ key: KEY, role: "kernel", ...options });
  const client = new Session({ key: KEY, role: "client", harden });
  const shell = client.channel("shell");
  const message = (buffers: Buffer[]): Message =>
    client.message("execute_request", { code: "1" }, { buffers });
  return {
    kernel,
    client,
    shell: kernel.channel("shell"),
    frames: (buffers = []) => shell.serialize(message(buffers)),
  };
}

function said(verdict: JupyterVerdict): string {
  if (!verdict.ok) return `refused (\`${verdict.reason}\`)`;
  return verdict.message.unsignedBuffers ? "delivered, flagged (`unsignedBuffers`)" : "delivered";
}

export const ATTACKS: readonly Attack[] = [
  {
    row: 42,
    attack: "a forged frame with a genuine signature, then the genuine message",
    run(harden) {
      const { shell, frames } = ends(harden);
      const genuine = frames();
      shell.deserialize([...genuine.slice(0, 5), Buffer.from('{"evil": true}')]);
      return `genuine one ${said(shell.deserialize(genuine))}`;
    },
  },
  {
    row: 43,
    attack: "100 messages, 20,000 junk ones (histories of 1,024), then the 100 again",
    run(harden) {
      const { shell, frames } = ends(harden, { historyBytes: 1024 * ENTRY_BYTES });
      const genuine = Array.from({ length: 100 }, () => frames());
      for (const each of genuine) shell.deserialize(each);
      for (let n = 0; n < 20_000; n++) {
        const junk = Buffer.from(n.toString(16).padStart(64, "0"));
        shell.deserialize([genuine[0]![0]!, junk, ...genuine[0]!.slice(2)]);
      }
      const delivered = genuine.filter((each) => shell.deserialize(each).ok).length;
      return `${delivered} of 100 replays delivered`;
    },
  },
  {
    row: 44,
    attack: "a signature frame of 1 MB",
    run(harden) {
      const { shell, frames } = ends(harden);
      const [delimiter, , ...parts] = frames() as [Buffer, Buffer, ...Buffer[]];
      return `${said(shell.deserialize([delimiter, Buffer.alloc(2 ** 20, "a"), ...parts]))} before any cryptography`;
    },
  },
  {
    row: 45,
    attack: "a recorded message to a fresh session with the same key",
    run(harden) {
      const recorded = ends(harden).frames();
      return said(new Session({ key: KEY, role: "kernel" }).channel("shell").deserialize(recorded));
    },
  },
  {
    row: 46,
    attack: "one's own message back",
    run(harden) {
      const { client, frames } = ends(harden);
      return said(client.channel("shell").deserialize(frames()));
    },
  },
  {
    row: 46,
    attack: "a shell message, not delivered yet, on control",
    run(harden) {
      const { kernel, frames } = ends(harden);
      return said(kernel.channel("control").deserialize(frames()));
    },
  },
  {
    row: 47,
    attack: "a buffer added",
    run(harden) {
      const { shell, frames } = ends(harden);
      return said(shell.deserialize([...frames(), Buffer.from("added")]));
    },
  },
  {
    row: 47,
    attack: "a buffer changed",
    run(harden) {
      const { shell, frames } = ends(harden);
      return said(shell.deserialize([...frames([Buffer.from("one")]).slice(0, -1), Buffer.from("two")]));
    },
  },
  { row: 48, attack: "an empty key", run: () => refusedOption({ key: "" }) },
  { row: 48, attack: "an unknown scheme", run: () => refusedOption({ key: KEY, scheme: "hmac-nothing" }) },
  {
    row: 49,
    attack: "one message decoded twice by one program",
    run(harden) {
      const { shell, frames } = ends(harden);
      const message = frames();
      const peeked = typeof shell.peek(message) === "object";
      return `${peeked ? "`peek`: read" : "not read"}, then ${said(shell.deserialize(message))}; a second \`deserialize\` ${said(shell.deserialize(message))}`;
    },
  },
  {
    row: 49,
    attack: "one message to a session and its clone",
    run(harden) {
      const { kernel, shell, frames } = ends(harden);
      const clone = kernel.clone().channel("shell");
      const message = frames();
      shell.deserialize(message);
      return said(clone.deserialize(message));
    },
  },
  {
    row: 49,
    attack: "sending from a fork",
    run(harden) {
      const { client } = ends(harden);
      const forked = Number(client.message("x").header.msg_id.split("_").at(-2)) === process.pid;
      return forked
        ? "Node has none: a child has a session, ids and an epoch of its own"
        : "sent under another's id";
    },
  },
];

function refusedOption(options: SessionOptions): string {
  try {
    new Session(options);
    return "taken";
  } catch {
    return options.key === "" ? "an error, unless `unsigned: true`" : "an error";
  }
}

/** The table of docs/jupyter.md, both libraries attacked now. */
export function attackTable(python: string, program: string): string {
  const told = execFileSync(python, ["-W", "ignore", program], { encoding: "utf8" });
  const { version, outcomes } = JSON.parse(told) as { version: string; outcomes: string[] };
  const rows = ATTACKS.map(
    ({ row, attack, run }, i) => `| ${row} | ${attack} | ${outcomes[i]} | ${run(false)} | ${run(true)} |`,
  );
  return [
    `| | attack | jupyter_client ${version} | here, from a plain peer | here, from a hardened peer |`,
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
