#!/usr/bin/env node
/**
 * The program `reprise`, from its modules.
 *
 * @since 0.1.0
 */
import * as CompileCache from "./CompileCache.ts"

CompileCache.enable()
const { run } = await import("./Process.ts")
run(process.argv.slice(2))
