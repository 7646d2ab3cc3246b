// Where cells run: a thread whose global scope is theirs. V8's own REPL mode evaluates them, by the inspector: await stands
// at the top, and let, const and class last and may be declared again.
import { type Runtime, Session } from "node:inspector";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inspect } from "node:util";
import { compileFunction, constants } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { globals, toBundle } from "./rich.js";

const post = (...message: unknown[]): void => void parentPort?.postMessage(message);
const running = new Set<number>();
const asked: ((answer: string | undefined) => void)[] = [];
const inspector = new Session();
inspector.connect();

/** Modules are found from the folder in which the kernel was started. */
const filename = join(process.cwd(), "cell.js");
const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
const load = compileFunction("return import(name)", ["name"], { filename, importModuleDynamically });
let taken: unknown;
const take = (value: unknown) => {
  taken = value;
};
const ask = (prompt: unknown, options: object) =>
  new Promise<string>((resolve, reject) => {
    const answered = (answer?: string) =>
      answer === undefined ? reject(new Error("No answer.")) : resolve(answer);
    post("input", asked.push(answered) - 1, String(prompt), options);
  });
Object.assign(globalThis, globals(post, ask), { require: createRequire(filename) });
Object.defineProperties(globalThis, { $import: { value: load }, [Symbol.for("take")]: { value: take } });

for (const name of ["stdout", "stderr"] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    post("stream", name, Buffer.from(chunk as string).toString());
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
}
process.on("uncaughtException", (error) => process.stderr.write(`Uncaught ${inspect(error)}\n`));

parentPort?.on("message", ([id, what, ...about]: [number, string, string & number, number]) => {
  if (id <= Atomics.load(workerData, 0)) return; // it was interrupted before it began
  if (what === "complete") post("done", id, complete(...about));
  else if (what === "inspect") post("done", id, look(...about));
  else if (what === "answer") asked[about[0]]?.(about[1] as unknown as string | undefined);
  else if (what === "interrupt") {
    // What was busy has been stopped before this came; what waits is left to itself.
    running.clear();
    post("calm");
  } else run(id, about[0], what === "run");
});

function run(id: number, code: string, isCell: boolean): void {
  running.add(id);
  evaluate(code, { awaitPromise: true, replMode: true }, (threw, value) => {
    if (!running.delete(id)) return;
    if (!threw) return post("done", id, isCell && value === undefined ? {} : { data: toBundle(value) });
    const { name, message, stack } = value instanceof Error ? value : new Error(`Uncaught ${inspect(value)}`);
    const isTheirs = (line: string) => !/^\s+at .*(node:|realm\.js)/.test(line);
    post("failed", id, name, message, String(stack).split("\n").filter(isTheirs));
  });
}

/** Evaluates in the cells' scope, and hands over the value, or what was thrown. */
function evaluate(expression: string, options: object, then: (threw: boolean, value: unknown) => void): void {
  const evaluating = { expression, ...options };
  inspector.post("Runtime.evaluate", evaluating, (_, evaluated?: Runtime.EvaluateReturnType) => {
    if (evaluated === undefined) return; // V8 stopped it
    const { exceptionDetails, result } = evaluated;
    const { objectId, value, unserializableValue } = exceptionDetails?.exception ?? result;
    taken = value;
    if (objectId !== undefined || unserializableValue !== undefined) {
      const given = objectId === undefined ? { unserializableValue } : { objectId };
      const functionDeclaration = 'function (value) { globalThis[Symbol.for("take")](value); }';
      const calling = { functionDeclaration, executionContextId: 1, arguments: [given] };
      inspector.post("Runtime.callFunctionOn", calling as Runtime.CallFunctionOnParameterType);
      if (objectId !== undefined) inspector.post("Runtime.releaseObject", { objectId });
    }
    then(exceptionDetails !== undefined, taken);
  });
}

/** The names and members that could stand at the cursor, by what is there: nothing with side effects is evaluated. */
function complete(code: string, cursor: number) {
  const [, path, word = ""] = /(?:([\w$.\]['"]+)\.)?([\w$]*)$/.exec(code.slice(0, cursor)) as RegExpExecArray;
  const names = new Set(path === undefined ? globalNames() : membersOf(valueAt(path)));
  const matches = [...names].filter((name) => name.startsWith(word) && /^[\w$]+$/.test(name)).sort();
  return { matches, start: cursor - word.length, end: cursor };
}

function globalNames(): string[] {
  const names = "await async class const function import let return throw typeof interface".split(" ");
  inspector.post("Runtime.globalLexicalScopeNames", {}, (_, found) => names.push(...(found?.names ?? [])));
  return [...names, ...membersOf(globalThis)];
}

function membersOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return [...Object.getOwnPropertyNames(value), ...membersOf(Object.getPrototypeOf(value))];
}

function valueAt(path: string): unknown {
  let found: unknown;
  evaluate(path, { throwOnSideEffect: true }, (threw, value) => (found = threw ? undefined : value));
  return found;
}

/** What the name at the cursor stands for. */
function look(code: string, cursor: number) {
  const path = /[\w$.]*$/.exec(code.slice(0, cursor))?.[0] + (/^[\w$]*/.exec(code.slice(cursor))?.[0] ?? "");
  const value = path === "" ? undefined : valueAt(path);
  if (value === undefined) return undefined;
  const text = typeof value === "function" ? Function.prototype.toString.call(value) : inspect(value);
  return { data: { "text/plain": `${path}: ${typeof value}\n${text.slice(0, 10_000)}` } };
}
