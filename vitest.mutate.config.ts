// The tests that mutation testing runs: those of the core, which need no socket. Stryker's runner uses worker
// threads, where zeromq's native addon crashes, and a mutant is judged in milliseconds only without a network.

import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/{admission,crypto,keys,properties,replay,session,wire}/**/*.test.ts"],
  },
});
