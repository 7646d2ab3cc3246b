// Exports check: what package.json offers exists, is documented, and carries its documentation with it.
//   1. every subpath has its JavaScript and its declarations in dist/ and its source in src/;
//   2. every subpath is named in the README;
//   3. everything the entry points export, and every public member of it, has a TSDoc comment.
// Prints file:line for each miss and exits 1 when there is one. Run `npm run build` first.

import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import ts from "typescript";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const problems = [];

const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target === "object");
const sourceOf = (target) => target.default.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts");

function checkFiles() {
  for (const [subpath, target] of entries) {
    for (const file of [target.types, target.default, sourceOf(target)]) {
      if (!existsSync(file)) problems.push(`package.json: exports["${subpath}"]: ${file} does not exist`);
    }
  }
  for (const [name, file] of Object.entries(manifest.bin)) {
    if (!existsSync(file)) problems.push(`package.json: bin.${name}: ${file} does not exist`);
    else if (!readFileSync(file, "utf8").startsWith("#!/usr/bin/env node\n")) {
      problems.push(`${file}:1: no "#!/usr/bin/env node" line`);
    }
  }
}

function checkReadme() {
  const readme = existsSync("README.md") ? readFileSync("README.md", "utf8") : "";
  for (const [subpath] of entries) {
    const name = manifest.name + subpath.slice(1);
    const mention = new RegExp(`["'\`]${name}["'\`]`);
    if (!mention.test(readme)) problems.push(`README.md: the subpath ${name} is not documented`);
  }
}

const ownFile = (declaration) => !declaration.getSourceFile().fileName.includes("/node_modules/");

function complain(declaration, name) {
  const source = declaration.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
  problems.push(`${relative(process.cwd(), source.fileName)}:${line + 1}: ${name} has no TSDoc comment`);
}

function isPublicMember(member) {
  const flags = ts.getCombinedModifierFlags(member);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override))
    return false;
  return member.name !== undefined && ts.isIdentifier(member.name);
}

/** Members of interfaces, classes and object types; an override inherits the comment of what it overrides. */
function membersOf(declaration) {
  if (ts.isInterfaceDeclaration(declaration) || ts.isClassDeclaration(declaration))
    return declaration.members;
  if (ts.isTypeAliasDeclaration(declaration) && ts.isTypeLiteralNode(declaration.type)) {
    return declaration.type.members;
  }
  return [];
}

function checkComments() {
  const config = ts.getParsedCommandLineOfConfigFile(
    "tsconfig.build.json",
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
      },
    },
  );
  const sources = entries.map(([, target]) => sourceOf(target)).filter(existsSync);
  const program = ts.createProgram(sources, config.options);
  const checker = program.getTypeChecker();
  const seen = new Set();
  const documented = (symbol) => symbol !== undefined && symbol.getDocumentationComment(checker).length > 0;

  for (const source of sources) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(source));
    for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const declarations = (symbol.declarations ?? []).filter(ownFile);
      if (seen.has(symbol) || declarations.length === 0) continue;
      seen.add(symbol);
      if (!documented(symbol)) complain(declarations[0], exported.name);
      for (const member of declarations.flatMap(membersOf).filter(isPublicMember)) {
        if (!documented(checker.getSymbolAtLocation(member.name))) {
          complain(member, `${exported.name}.${member.name.text}`);
        }
      }
    }
  }
  return seen.size;
}

checkFiles();
checkReadme();
const names = checkComments();
for (const problem of problems) console.error(problem);
console.log(`exports: ${entries.length} subpaths, ${names} names, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
