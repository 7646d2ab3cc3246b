// Where cells run: a thread whose global scope is theirs. V8's own REPL mode evaluates them, by the inspector: await stands
// at the top, and let, const and class last and may be declared again.
import { type Runtime, Session } from "node:inspector";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import type { FromRealm, Question } from "./protocol.js";
import { installGlobals, toBundle } from "./rich.js";

const port = parentPort as NonNullable<typeof parentPort>;
const skip = workerData as Int32Array;
const post = (message: FromRealm) => port.postMessage(message);
const inspector = new Session();
inspector.connect();

let handedOver: unknown;
Object.defineProperty(globalThis, Symbol.for("countersign.kernel"), {
  value: (value: unknown) => (handedOver = value),
});

const require = createRequire(`${process.cwd()}/cell.js`);
const load = (name: string) =>
  import(/^[./]/.test(name) ? pathToFileURL(require.resolve(name)).href : resolved(name));
function resolved(name: string): string {
  try {
    const path = require.resolve(name);
    return path.startsWith("/") ? pathToFileURL(path).href : path;
  } catch {
    return name;
  }
}
Object.assign(globalThis, { require });
Object.defineProperty(globalThis, "$import", { value: load });

const running = new Set<number>();
const asked = new Map<number, { resolve: (answer: string) => void; reject: (error: Error) => void }>();
let questions = 0;
installGlobals(post, (prompt, password) => {
  const id = ++questions;
  post({ kind: "input", id, text: prompt, password });
  return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
});
for (const name of ["stdout", "stderr"] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    post({ kind: "stream", name, text: typeof chunk === "string" ? chunk : Buffer.from(chunk).toString() });
    (rest.at(-1) as (() => void) | undefined)?.call?.(undefined);
    return true;
  };
}
process.on("uncaughtException", (error) => process.stderr.write(`Uncaught ${inspect(error)}\n`));

port.on("message", (question: Question) => {
  const { kind, id } = question;
  if (kind === "interrupt") return interrupt();
  if (kind === "answer") return answered(question);
  if (id <= Atomics.load(skip, 0)) return failed(id, interruption());
  running.add(id);
  if (kind === "complete") return done(id, complete(question.code, question.cursor));
  if (kind === "inspect") return done(id, look(question.code, question.cursor));
  evaluate(question.code, { awaitPromise: true }, (error, value) => {
    if (error) failed(id, value);
    else done(id, { data: kind === "run" && value === undefined ? undefined : toBundle(value) });
  });
});

/** Evaluates in the cells' scope, and hands over the value, or what was thrown. */
function evaluate(
  expression: string,
  options: { awaitPromise?: boolean; throwOnSideEffect?: boolean; silent?: boolean },
  then: (threw: boolean, value: unknown) => void,
): void {
  const evaluating = { expression, replMode: options.awaitPromise === true, ...options };
  inspector.post("Runtime.evaluate", evaluating, (_, evaluated?: Runtime.EvaluateReturnType) => {
    if (evaluated === undefined) return then(true, interruption()); // stopped by V8 on the way
    const { exceptionDetails, result } = evaluated;
    const { objectId, value, unserializableValue } = exceptionDetails?.exception ?? result;
    if (objectId === undefined && unserializableValue === undefined) return then(!!exceptionDetails, value);
    const argument =
      objectId === undefined ? { unserializableValue: unserializableValue as string } : { objectId };
    handedOver = undefined;
    inspector.post("Runtime.callFunctionOn", {
      functionDeclaration: 'function (value) { globalThis[Symbol.for("countersign.kernel")](value); }',
      executionContextId: 1,
      arguments: [argument],
    });
    if (objectId !== undefined) inspector.post("Runtime.releaseObject", { objectId });
    const taken = handedOver;
    handedOver = undefined;
    then(!!exceptionDetails, taken);
  });
}

function done(id: number, result: unknown): void {
  if (running.delete(id)) post({ kind: "done", id, result });
}

function failed(id: number, thrown: unknown): void {
  running.delete(id);
  const error = thrown instanceof Error ? thrown : new Error(`Uncaught ${inspect(thrown)}`);
  const own = (line: string) => !/^\s+at .*(node:|realm\.js)/.test(line);
  const traceback = String(error.stack ?? error)
    .split("\n")
    .filter(own);
  post({ kind: "failed", id, ename: error.name, evalue: error.message, traceback });
}

function interruption(): Error {
  return Object.assign(new Error("The cell was interrupted."), {
    name: "KeyboardInterrupt",
    stack: undefined,
  });
}

/** What was busy was stopped before this came; what waits is left to itself. */
function interrupt(): void {
  for (const id of running) failed(id, interruption());
  for (const { reject } of asked.values()) reject(interruption());
  asked.clear();
}

function answered({ id, answer, problem }: Question): void {
  const { resolve, reject } = asked.get(id) ?? {};
  asked.delete(id);
  if (answer === undefined) reject?.(new Error(problem));
  else resolve?.(answer);
}

/** The names and members that could stand at the cursor, by what is there: nothing with side effects is evaluated. */
function complete(code: string, cursor: number) {
  const [, path, word = ""] = /(?:([\w$.\]['"]+)\.)?([\w$]*)$/.exec(code.slice(0, cursor)) as RegExpExecArray;
  const names = path === undefined ? globalNames() : membersOf(valueAt(path));
  const matches = [...new Set(names)].filter((name) => name.startsWith(word) && /^[\w$]+$/.test(name)).sort();
  return { matches, start: cursor - word.length, end: cursor };
}

function globalNames(): string[] {
  let declared: string[] = [];
  inspector.post("Runtime.globalLexicalScopeNames", {}, (_, found) => (declared = found?.names ?? []));
  const KEYWORDS = "await async class const function import let return throw typeof interface".split(" ");
  return [...declared, ...membersOf(globalThis), ...KEYWORDS];
}

function membersOf(value: unknown): string[] {
  const names: string[] = [];
  for (let at = value == null ? null : Object(value); at !== null; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names;
}

function valueAt(path: string): unknown {
  let found: unknown;
  evaluate(
    path,
    { throwOnSideEffect: true, silent: true },
    (threw, value) => (found = threw ? undefined : value),
  );
  return found;
}

/** What the name at the cursor stands for. */
function look(code: string, cursor: number) {
  const before = /[\w$.]*$/.exec(code.slice(0, cursor))?.[0] ?? "";
  const path = before + (/^[\w$]*/.exec(code.slice(cursor))?.[0] ?? "");
  const value = path === "" ? undefined : valueAt(path);
  if (value === undefined) return undefined;
  const text = typeof value === "function" ? Function.prototype.toString.call(value) : inspect(value);
  return { data: { "text/plain": `${path}: ${typeof value}\n${text.slice(0, 10_000)}` } };
}
