// `npm run attacks`: attacks jupyter_client and this library, and writes what came of it into docs/jupyter.md.

import { readFileSync, writeFileSync } from "node:fs";
import { findPython, required } from "../../peers/python.js";
import { attackTable } from "./attacks.js";

const PAGE = "docs/jupyter.md";
const [begin, end] = ["<!-- attacks -->\n", "\n<!-- /attacks -->"];

const page = readFileSync(PAGE, "utf8");
const [before, after] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
const table = attackTable(required(findPython("jupyter_client")), "test/jupyter/attacks/attacks.py");
writeFileSync(PAGE, page.slice(0, before) + table + page.slice(after));
