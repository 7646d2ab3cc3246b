// Errors as clients see them (Jupyter messaging, "Execution errors"): a name, a text, and a traceback in lines.

/** An error of executed code whose name and traceback are its author's choice. */
export class ExecutionError extends Error {
  override readonly name = "ExecutionError";
  /** What kind of error it is: `TypeError`, `KeyboardInterrupt`. */
  readonly ename: string;
  /** Lines for the eye; may bear ANSI colors. */
  readonly traceback: readonly string[];

  /**
   * @param ename      the kind of error
   * @param evalue     what it says
   * @param traceback  lines for the eye; default: one line of both
   */
  constructor(ename: string, evalue: string, traceback: readonly string[] = [`${ename}: ${evalue}`]) {
    super(evalue);
    this.ename = ename;
    this.traceback = traceback;
  }
}

/** An error as a client sees it. */
export interface Failure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** The error that an interrupt comes to. Clients know it by this name, whatever the language. */
export function interrupted(): ExecutionError {
  return new ExecutionError("KeyboardInterrupt", "The execution was interrupted.");
}

/** Whatever was thrown, as a client sees it. Looks at it with care: it may be anything. */
export function failureOf(thrown: unknown): Failure {
  try {
    if (thrown instanceof ExecutionError) {
      return { ename: thrown.ename, evalue: thrown.message, traceback: [...thrown.traceback] };
    }
    if (thrown instanceof Error) {
      const { name, message, stack } = thrown;
      return {
        ename: String(name),
        evalue: String(message),
        traceback: String(stack ?? `${name}: ${message}`).split("\n"),
      };
    }
    const text = String(thrown);
    return { ename: "Error", evalue: text, traceback: [`Thrown: ${text}`] };
  } catch {
    return { ename: "Error", evalue: "What was thrown cannot be shown.", traceback: [] };
  }
}
