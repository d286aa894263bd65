#!/usr/bin/env node
/**
 * The program `reprise` as it is shipped: bundled into few files. With an agent, or
 * a database that another package speaks to, it runs from the bundle of the library
 * instead, so that what it loads and the program share one copy of Effect and of this
 * library.
 *
 * @since 0.1.0
 */
import * as Addresses from "./Addresses.ts"
import * as CompileCache from "./CompileCache.ts"

const args = process.argv.slice(2)
Addresses.hide(args)
if (Addresses.hasPostgres(args) || args.some((arg) => arg === "--agent" || arg.startsWith("--agent="))) {
  await import(new URL("../bundle/main.js", import.meta.url).href)
} else {
  CompileCache.enable()
  const { run } = await import("./Process.ts")
  run(args)
}
