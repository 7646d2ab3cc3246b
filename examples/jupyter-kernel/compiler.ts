// Cells to JavaScript: types go, and what only modules may write, import and export, becomes what a REPL can run.
import { type Completeness, ExecutionError } from "countersign/jupyter";
import ts from "typescript";

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Force, // so that await is a keyword at the top
  verbatimModuleSyntax: true,
};

function transpile(code: string) {
  const transpiled = ts.transpileModule(unmodule(code), { compilerOptions, reportDiagnostics: true });
  const javascript = transpiled.outputText.replace(/^export \{\};?$/m, "");
  return { javascript, problems: transpiled.diagnostics ?? [] };
}

/** JavaScript for the realm; throws a SyntaxError with its place, for the client. */
export function compile(code: string, count: number): string {
  // What looks like a block is an object where it can be one, as in every REPL.
  const asObject = /^\s*\{/.test(code) ? transpile(`(${code}\n)`) : undefined;
  const { javascript, problems } = asObject?.problems.length === 0 ? asObject : transpile(code);
  const [problem] = problems;
  if (problem === undefined) return `${javascript}\n//# sourceURL=cell-${count}.ts`;
  const text = ts.flattenDiagnosticMessageText(problem.messageText, "\n");
  const line = code.slice(0, problem.start).split("\n").length;
  throw new ExecutionError("SyntaxError", text, [`SyntaxError: ${text}`, `    at cell-${count}.ts:${line}`]);
}

const UNTERMINATED = [1010, 1160, 1161]; // comment, template, regular expression

/** Whether more lines must follow: what is wrong is wrong at the end, or is left open. */
export function completeness(code: string): Completeness {
  const { problems } = transpile(code);
  if (problems.length === 0) return "complete";
  const end = code.trimEnd().length;
  const isOpen = problems.every(({ start = 0, code: kind }) => start >= end || UNTERMINATED.includes(kind));
  const indent = /(?:^|\n)([ \t]*)[^\n]*$/.exec(code.trimEnd())?.[1] ?? "";
  return isOpen
    ? { status: "incomplete", indent: /[{([]\s*$/.test(code) ? `${indent}  ` : indent }
    : "invalid";
}

/** import a from "x" → const { default: a } = await $import("x"); import("x") → $import("x"); export const b → const b. */
function unmodule(code: string): string {
  const edits: { start: number; end: number; text: string }[] = [];
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.ES2022);
  const edit = (node: ts.Node, text: string) =>
    edits.push({ start: node.getStart(file), end: node.end, text });
  const visit = (node: ts.Node): void => {
    const { kind } = node;
    if (ts.isImportDeclaration(node))
      edit(node, imported(node, `await $import(${node.moduleSpecifier.getText(file)});`));
    else if (kind === ts.SyntaxKind.ImportKeyword) edit(node, "$import");
    else if (kind === ts.SyntaxKind.ExportKeyword || ts.isExportDeclaration(node)) edit(node, "");
    else ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return edits.reduceRight(
    (text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end),
    code,
  );
}

function imported({ importClause: clause }: ts.ImportDeclaration, loaded: string): string {
  if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return "";
  const { name, namedBindings: named } = clause ?? {};
  const ownDefault = name ? [`default: ${name.text}`] : [];
  if (named && ts.isNamespaceImport(named)) {
    const { text } = named.name;
    return `const ${text} = ${loaded}${name ? ` const { ${ownDefault} } = ${text};` : ""}`;
  }
  const members = (named?.elements ?? [])
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map((each) => (each.propertyName ? `${each.propertyName.text}: ${each.name.text}` : each.name.text));
  return clause === undefined ? loaded : `const { ${[...ownDefault, ...members].join(", ")} } = ${loaded}`;
}
