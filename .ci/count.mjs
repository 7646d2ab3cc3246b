// Adds up vitest's JSON reports and prints the names of what was skipped, and the closing line of .ci/run: "N passed, N failed".
//   node .ci/count.mjs FAILED_STEPS REPORT...
// A report that is missing, or that ran nothing, counts as one failure, and so does each failed step whose
// failure no test accounts for. Exits 1 unless everything passed.

import { readFileSync } from "node:fs";

const [failedSteps, ...reports] = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
const skipped = new Set();

for (const path of reports) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests;
    for (const { fullName, status } of report.testResults.flatMap((file) => file.assertionResults)) {
      if (status !== "passed" && status !== "failed") skipped.add(fullName);
    }
    if (report.numTotalTests === 0) throw new Error("it ran no test");
  } catch (error) {
    console.error(`${path}: ${error.message}`);
    total.failed += 1;
  }
}
if (Number(failedSteps) > 0 && total.failed === 0) total.failed = Number(failedSteps);

for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || Number(failedSteps) > 0 ? 1 : 0;
