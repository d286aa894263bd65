import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const report = process.env["REPRISE_TEST_REPORT"]

export default defineConfig({
  root: at("."),
  resolve: {
    alias: [
      { find: /^effect-reprise$/, replacement: at("src/index.ts") },
      { find: /^effect-reprise\/(ai|cluster|node|sql|testing)$/, replacement: at("src/$1/index.ts") }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/suites/postgres-setup.ts", "test/suites/programs-setup.ts"],
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    ...(report === undefined ? {} : { reporters: ["default", "json"], outputFile: { json: at(report) } }),
    coverage: {
      enabled: process.env["REPRISE_TEST_COVERAGE"] === "true",
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: at(".coverage"),
      thresholds: { lines: 95, branches: 90 }
    }
  }
})
