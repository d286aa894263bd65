#!/usr/bin/env node
/**
 * The program `reprise` as it is shipped: bundled into few files. With an agent
 * it runs from the package's modules instead, so that the agent's module and the
 * program share one copy of Effect and of this library.
 *
 * @since 0.1.0
 */
import * as CompileCache from "./CompileCache.ts"

const args = process.argv.slice(2)
if (args.some((arg) => arg === "--agent" || arg.startsWith("--agent="))) {
  await import(new URL("../cli/main.js", import.meta.url).href)
} else {
  CompileCache.enable()
  const { run } = await import("./Process.ts")
  run(args)
}
