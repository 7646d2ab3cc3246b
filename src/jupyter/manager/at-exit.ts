// What is done when this process exits, by whatever way Node hears of. One listener for all: Node warns of more than ten.

const acts = new Set<() => void>();

function actAll(): void {
  for (const act of acts) act();
}

/** Does something when this process exits; returns what takes that back. */
export function atExit(act: () => void): () => void {
  if (acts.size === 0) process.on("exit", actAll);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size === 0) process.off("exit", actAll);
  };
}
