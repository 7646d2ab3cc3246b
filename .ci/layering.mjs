// Layering check: imports in src/ point downward only. Plain Node, no dependencies.
// Prints every offending import as file:line and exits 1 when there is one.
//
//   cli → index, jupyter → sockets → core, session, handshake, state → (wire, keys, crypto, admission, replay) → leaves
//
// Besides the direction it enforces: no cycle between files, nor between folders; nobody imports cli or an
// entry point (errors is a leaf as well); codec imports leaves only; core never reaches
// zeromq or state.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(process.argv[2] ?? "src");

/** Rank by top-level name in src/. A file directly in src/ that is not listed is a leaf. */
const RANKS = {
  cli: 6,
  index: 5,
  jupyter: 5,
  sockets: 4,
  core: 3,
  handshake: 2,
  session: 2,
  state: 2,
  wire: 1,
  keys: 1,
  crypto: 1,
  admission: 1,
  replay: 1,
  codec: 1,
};
const LEAF = 0;
const FOLDERS = new Set([
  "cli",
  "handshake",
  "jupyter",
  "sockets",
  "session",
  "wire",
  "keys",
  "crypto",
  "admission",
  "replay",
  "state",
  "codec",
]);
const ENTRIES = new Set(["index", "core"]);

const problems = [];

function sourceFiles(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return sourceFiles(path);
      return /\.(ts|mts|cts|js|mjs|cjs)$/.test(name) ? [path] : [];
    });
}

/** Blanks comments and keeps line breaks, so that positions stay true; strings are kept. */
function withoutComments(text) {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (match) =>
    match.startsWith("/*") || match.startsWith("//") ? match.replace(/[^\n]/g, " ") : match,
  );
}

/** Every static, dynamic and type-only import of a file, with its line. */
function importsOf(file) {
  const text = withoutComments(readFileSync(file, "utf8"));
  const statement =
    /\b(?:import|export)\s(?:[^"'`;()]*?\sfrom\s*)?["']([^"'\n]+)["']|\b(?:import|require)\s*\(\s*["'`]([^"'`\n]+)["'`]/g;
  return [...text.matchAll(statement)].map((match) => ({
    specifier: match[1] ?? match[2],
    line: text.slice(0, match.index + match[0].length).split("\n").length,
  }));
}

function resolveRelative(file, specifier) {
  const base = resolve(dirname(file), specifier);
  const candidates = [base.replace(/\.([mc]?)js$/, ".$1ts"), base, `${base}.ts`, join(base, "index.ts")];
  return candidates.find((path) => existsSync(path) && statSync(path).isFile());
}

/** The top-level name of a file: its folder in src/, or its own name when it stands directly in src/. */
function groupOf(file) {
  const [first] = relative(root, file).split(/[\\/]/);
  return first.replace(/\.[mc]?[tj]s$/, "");
}

const rankOf = (group) => RANKS[group] ?? LEAF;
const shown = (file) => relative(process.cwd(), file);
const complain = (edge, why) => problems.push(`${shown(edge.from)}:${edge.line}: ${why}`);

function readGraph(files) {
  const edges = [];
  const packages = [];
  for (const from of files) {
    for (const { specifier, line } of importsOf(from)) {
      if (specifier.startsWith(".")) {
        const to = resolveRelative(from, specifier);
        if (to === undefined) complain({ from, line }, `"${specifier}" does not exist`);
        else edges.push({ from, to, line });
      } else {
        packages.push({ from, name: specifier, line });
      }
    }
  }
  return { edges, packages };
}

function checkPlaces(files) {
  for (const file of files) {
    const [first, ...rest] = relative(root, file).split(/[\\/]/);
    if (rest.length > 0 && !FOLDERS.has(first)) {
      problems.push(`${shown(file)}:1: folder ${first}/ has no layer: give it one in .ci/layering.mjs`);
    }
  }
}

function checkDirections(edges) {
  for (const edge of edges) {
    const from = groupOf(edge.from);
    const to = groupOf(edge.to);
    if (relative(root, edge.to).startsWith("..")) complain(edge, `${shown(edge.to)} lies outside src/`);
    else if (from === to || from === "cli") continue;
    else if (to === "cli") complain(edge, "nobody imports cli");
    else if (ENTRIES.has(to) && from !== "index")
      complain(edge, `${to} is an entry point: import the file behind it`);
    else if (from === "codec" && rankOf(to) > LEAF)
      complain(edge, `codec imports leaves only, and ${to} is none`);
    else if (rankOf(to) > rankOf(from))
      complain(edge, `${from} must not import ${to}, which stands above it`);
    else if (rankOf(from) === LEAF && !isFlat(edge)) complain(edge, `a leaf must not import ${to}`);
  }
}

/** Leaves may import one another: the cycle check keeps that honest. */
const isFlat = (edge) => rankOf(groupOf(edge.to)) === LEAF;

/** Depth-first search; complains of the edge that closes each cycle found, with the way around. */
function checkCycles(edges, nameOf, what) {
  const next = new Map();
  for (const edge of edges) {
    const from = nameOf(edge.from);
    const to = nameOf(edge.to);
    if (what === "folders" && from === to) continue;
    next.set(from, [...(next.get(from) ?? []), { ...edge, name: to }]);
  }
  const done = new Set();
  const visit = (name, path) => {
    if (done.has(name)) return;
    for (const edge of next.get(name) ?? []) {
      const at = path.indexOf(edge.name);
      if (at >= 0)
        complain(edge, `cycle of ${what}: ${[...path.slice(at), edge.name].map(label).join(" → ")}`);
      else visit(edge.name, [...path, edge.name]);
    }
    done.add(name);
  };
  const label = (name) => (what === "files" ? shown(name) : name);
  for (const name of next.keys()) visit(name, [name]);
}

/** Walks everything that core.ts reaches, types included, and complains of each way to zeromq or to a store. */
function checkCoreWithoutZeromq(edges, packages) {
  const reached = new Set([join(root, "core.ts")]);
  for (const file of reached) {
    for (const edge of edges) {
      if (edge.from !== file) continue;
      reached.add(edge.to);
      if (groupOf(edge.to) === "state")
        complain(edge, "core must not import state, which needs packages of its own");
    }
  }
  for (const use of packages) {
    if (reached.has(use.from) && /^zeromq(\/|$)/.test(use.name)) {
      complain(use, "core.ts reaches this file, and core must not import zeromq");
    }
  }
}

function checkSelfReference(packages) {
  for (const use of packages) {
    if (/^countersign(\/|$)/.test(use.name)) complain(use, `src/ imports its own files, not "${use.name}"`);
  }
}

const files = sourceFiles(root);
const { edges, packages } = readGraph(files);
checkPlaces(files);
checkDirections(edges);
checkCycles(edges, (file) => file, "files");
checkCycles(edges, groupOf, "folders");
checkCoreWithoutZeromq(edges, packages);
checkSelfReference(packages);

for (const problem of new Set(problems)) console.error(problem);
console.log(`layering: ${files.length} files, ${edges.length} imports, ${new Set(problems).size} problems`);
process.exitCode = problems.length > 0 || files.length === 0 ? 1 : 0;
