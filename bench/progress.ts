// Where long work stands, on standard error: one line that rewrites itself on a terminal, a line now and then elsewhere.

const EVERY = 5_000;

export interface Progress {
  (text: string): void;
  /** Leaves the line behind, so that results start on one of their own. */
  end(): void;
}

export function makeProgress(): Progress {
  const terminal = process.stderr.isTTY;
  const start = Date.now();
  let last = Number.NEGATIVE_INFINITY;
  const show = (text: string) => {
    const now = Date.now();
    if (!terminal && now - last < EVERY) return;
    last = now;
    const line = `[${((now - start) / 1_000).toFixed(0)} s] ${text}`;
    process.stderr.write(terminal ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const end = () => {
    if (terminal) process.stderr.write("\r\x1b[K");
  };
  return Object.assign(show, { end });
}
