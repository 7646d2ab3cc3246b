// The snippets of the pages that are not run elsewhere compile as a reader would paste them: with the key, the password
// and the data that their text takes for granted, and with imports of what they leave out.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the text around a snippet takes for granted, by name. */
const GIVEN: Readonly<Record<string, string>> = {
  key: "Buffer",
  password: "string",
  master: "Buffer",
  next: "Buffer",
  stolen: "string",
  ticks: "{ symbol: string; bytes: Buffer }[]",
  redis: 'import("ioredis").Redis',
};
/** Classes that a snippet uses without saying for the second time where they come from. */
const KNOWN = ["Dealer", "Publisher", "Router", "Subscriber"];

const names = (text: string, name: string) => new RegExp(`\\b${name}\\b`).test(text);

/** A snippet as the whole module that a reader makes of it. */
function asModule(snippet: string): string {
  const imports = snippet.match(/^import .*$/gm)?.join("\n") ?? "";
  const missing = KNOWN.filter((name) => names(snippet, name) && !names(imports, name));
  const given = Object.entries(GIVEN).filter(([name]) => names(snippet, name));
  return [
    `import { ${missing.join(", ")} } from "countersign";`,
    ...given.map(([name, type]) => `declare const ${name}: ${type};`),
    snippet,
    "export {};",
  ].join("\n");
}

function snippets(page: string): [name: string, snippet: string][] {
  const text = readFileSync(`${root}${page}`, "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, snippet], at) => [
    `${page}, snippet ${at + 1}`,
    snippet as string,
  ]);
}

/** What the compiler says of modules that lie, by name, at the root of the repository. */
function complaints(modules: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  // `strict`, as a new project has it: what goes beyond is for the sources here.
  const asReader = { ...options, noUncheckedIndexedAccess: false, exactOptionalPropertyTypes: false };
  const host = ts.createCompilerHost(asReader);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => modules.has(path) || fileExists(path);
  host.readFile = (path) => modules.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = modules.get(path);
    if (text === undefined) return getSourceFile.call(host, path, version, ...rest);
    return ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...modules.keys()], asReader, host);
  return [...modules.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) => {
        const line = modules.get(path)?.slice(0, start).split("\n").length;
        return `${path}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      },
    );
  });
}

const all = [...snippets("README.md"), ...snippets("docs/handshake.md")];

test(`compile: ${all.map(([name]) => name).join("; ")}`, () => {
  expect(all.length).toBeGreaterThan(6);
  const modules = all.map(([, snippet], at) => [`${root}snippet-${at}.mts`, asModule(snippet)] as const);
  // One that says something wrong would be told.
  const wrong = asModule('const kernel = new Router({ signing: { key, sendr: "kernel-1" } });');
  expect(complaints(new Map([...modules, [`${root}wrong.mts`, wrong]]))).toEqual([
    expect.stringMatching(/wrong\.mts:3 .*'sendr' does not exist/),
  ]);
});
