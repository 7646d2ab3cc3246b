// A password from whoever sits at the keyboard, without echo, or from a pipe. Never from the arguments: those are for all
// users of the machine to see.

import { createInterface } from "node:readline";
import type { ReadStream } from "node:tty";
import { OperatorError } from "./failure.js";

/** Asks for a password; on a terminal twice where a new one is set. From a pipe it is the first line. */
export async function askPassword(prompt: string, isNew: boolean): Promise<string> {
  const password = process.stdin.isTTY ? await typed(prompt, isNew) : await piped();
  if (password === "") throw new OperatorError("The password is empty.");
  return password;
}

async function typed(prompt: string, isNew: boolean): Promise<string> {
  const password = await readHidden(`${prompt}: `);
  if (isNew && password !== (await readHidden(`${prompt}, once more: `))) {
    throw new OperatorError("The two are not the same; nothing was changed.");
  }
  return password;
}

async function piped(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return line;
  throw new OperatorError(
    "There is no password on the standard input: type it at the prompt, or pipe one line.",
  );
}

const [ENTER, LINE_FEED, INTERRUPT, END, BACKSPACE, DELETE, KILL] = [13, 10, 3, 4, 8, 127, 21];

/** One line in raw mode: the terminal echoes nothing. */
function readHidden(prompt: string): Promise<string> {
  const input = process.stdin as ReadStream;
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (settle: () => void) => {
      input.setRawMode(false);
      input.pause();
      input.off("data", onData);
      process.stderr.write("\n");
      settle();
    };
    const onData = (bytes: Buffer | string) => {
      for (const character of bytes.toString()) {
        const code = character.codePointAt(0) as number;
        if (code === ENTER || code === LINE_FEED) return finish(() => resolve(text));
        if (code === INTERRUPT || (code === END && text === "")) {
          return finish(() => reject(new OperatorError("Interrupted; nothing was changed.")));
        }
        if (code === BACKSPACE || code === DELETE) text = [...text].slice(0, -1).join("");
        else if (code === KILL) text = "";
        else if (code >= 32) text += character;
      }
    };
    input.setEncoding("utf8");
    input.setRawMode(true);
    input.on("data", onData);
    input.resume();
    // Only now: whoever is quick must not see what he types.
    process.stderr.write(prompt);
  });
}
