// A Jupyter kernel for JavaScript and TypeScript in Node. Install it with
//   countersign jupyter install typescript --display-name TypeScript --language typescript -- node main.js {connection_file}
// The kit serves Jupyter on this thread; cells run on another one (realm.ts), so that however they loop, interrupts, shutdown
// and heartbeats come through, and their declarations outlast an interrupt.
import { Kernel } from "countersign/jupyter";
import { compile, completeness } from "./compiler.js";
import { RealmLink } from "./realm-link.js";

const realm = new RealmLink();

const kernel = new Kernel({
  implementation: "countersign-typescript",
  implementationVersion: "1.0.0",
  banner: `TypeScript on Node ${process.version}. await, imports and redeclarations are fine; display(value) shows more.`,
  language: {
    name: "typescript",
    version: process.versions.node,
    mimetype: "text/typescript",
    file_extension: ".ts",
    codemirror_mode: { name: "javascript", typescript: true },
  },
  handlers: {
    execute: ({ code }, cell) => realm.run(compile(code, cell.executionCount), cell),
    evaluate: (expression) => realm.ask("evaluate", compile(expression, 0)),
    complete: ({ code, cursor }) => realm.ask("complete", code, cursor),
    inspect: ({ code, cursor }) => realm.ask("inspect", code, cursor),
    isComplete: completeness,
    interrupt: () => realm.interrupt(),
  },
});

await kernel.run(process.argv[2]);
await realm.end();
