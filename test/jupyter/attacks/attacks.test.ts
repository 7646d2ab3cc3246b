// The attack table of docs/jupyter.md says what happens today, to both libraries.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { findPython, maySkip, required } from "../../peers/python.js";
import { ATTACKS, attackTable } from "./attacks.js";

const python = findPython("jupyter_client");

it.skipIf(maySkip(python))("42 to 49 on jupyter_client and on this library (npm run attacks)", () => {
  const page = readFileSync(new URL("../../../docs/jupyter.md", import.meta.url), "utf8");
  const table = attackTable(required(python), fileURLToPath(new URL("./attacks.py", import.meta.url)));
  expect(page.split("<!-- attacks -->\n")[1]?.split("\n<!-- /attacks -->")[0]).toBe(table);
});

it("a hardened peer lets none through", () => {
  for (const { attack, run } of ATTACKS.slice(3, 8)) expect(run(true), attack).toMatch(/^refused/);
});
