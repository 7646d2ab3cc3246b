// Cells to JavaScript: types go, and what only modules may write, import and export, becomes what a REPL can run.
import { type Completeness, ExecutionError } from "countersign/jupyter";
import ts from "typescript";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Force, // so that await is a keyword at the top
  verbatimModuleSyntax: true,
};

function transpile(code: string) {
  const { outputText, diagnostics = [] } = ts.transpileModule(unmodule(code), {
    compilerOptions: OPTIONS,
    reportDiagnostics: true,
  });
  return { javascript: outputText.replace(/^export \{\};?$/m, ""), problems: diagnostics };
}

/** JavaScript for the realm; throws a SyntaxError with its place, for the client. */
export function compile(code: string, count: number): string {
  // What looks like a block is an object where it can be one, as in every REPL.
  const asObject = /^\s*\{/.test(code) ? transpile(`(${code}\n)`) : undefined;
  const { javascript, problems } = asObject?.problems.length === 0 ? asObject : transpile(code);
  const [problem] = problems;
  if (problem === undefined) return `${javascript}\n//# sourceURL=cell-${count}.ts`;
  const text = ts.flattenDiagnosticMessageText(problem.messageText, "\n");
  const { line, character } = ts.getLineAndCharacterOfPosition(
    problem.file as ts.SourceFile,
    problem.start ?? 0,
  );
  const shown = code.split("\n")[line] ?? "";
  throw new ExecutionError("SyntaxError", text, [
    `SyntaxError: ${text}`,
    `    at cell-${count}.ts:${line + 1}:${character + 1}`,
    shown,
    `${" ".repeat(character)}^`,
  ]);
}

const UNTERMINATED = [1010, 1160, 1161]; // comment, template, regular expression

/** Whether more lines must follow: what is wrong is wrong at the end, or is left open. */
export function completeness(code: string): Completeness {
  const { problems } = transpile(code);
  if (problems.length === 0) return "complete";
  const end = code.trimEnd().length;
  const isOpen = problems.every(({ start = 0, code: kind }) => start >= end || UNTERMINATED.includes(kind));
  if (!isOpen) return "invalid";
  const indent = /(?:^|\n)([ \t]*)[^\n]*$/.exec(code.trimEnd())?.[1] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(code) ? `${indent}  ` : indent };
}

/** import a from "x" → const { default: a } = await $import("x"); import("x") → $import("x"); export const b → const b. */
function unmodule(code: string): string {
  const edits: { start: number; end: number; text: string }[] = [];
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.ES2022);
  const edit = (node: ts.Node, text: string) =>
    edits.push({ start: node.getStart(file), end: node.end, text });
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      edit(node, imported(node, `await $import(${node.moduleSpecifier.getText(file)});`));
    else if (ts.isExportDeclaration(node)) edit(node, "");
    else if (node.kind === ts.SyntaxKind.ImportKeyword) edit(node, "$import");
    else if (node.kind === ts.SyntaxKind.ExportKeyword || node.kind === ts.SyntaxKind.DefaultKeyword)
      edit(node, "");
    else ts.forEachChild(node, visit);
  };
  for (const statement of file.statements) visit(statement);
  return edits.reduceRight(
    (text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end),
    code,
  );
}

function imported({ importClause: clause }: ts.ImportDeclaration, loaded: string): string {
  if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return "";
  const { name, namedBindings: named } = clause ?? {};
  if (named && ts.isNamespaceImport(named)) {
    return `const ${named.name.text} = ${loaded}${name ? ` const ${name.text} = ${named.name.text}.default;` : ""}`;
  }
  const members = (named?.elements ?? [])
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map((each) => (each.propertyName ? `${each.propertyName.text}: ${each.name.text}` : each.name.text));
  if (name) members.unshift(`default: ${name.text}`);
  return clause === undefined ? loaded : `const { ${members.join(", ")} } = ${loaded}`;
}
