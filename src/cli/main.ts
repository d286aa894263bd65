#!/usr/bin/env node
/**
 * The program `reprise`, from its modules.
 *
 * @since 0.1.0
 */
import * as Addresses from "./Addresses.ts"
import * as CompileCache from "./CompileCache.ts"

const args = process.argv.slice(2)
Addresses.hide(args)
CompileCache.enable()
const { run } = await import("./Process.ts")
run(args)
