/** Imports modules and prints, line by line, which modules of others they import: `modules.ts <url>...`. */
import { registerHooks } from "node:module"

const own = process.argv.slice(2).map((url) => new URL(".", url).href)
const isOwn = (url: string): boolean => own.some((directory) => url.startsWith(directory))
const others = new Set<string>()

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    if (context.parentURL !== undefined && isOwn(context.parentURL) && !isOwn(resolved.url)) others.add(resolved.url)
    return resolved
  }
})

for (const url of process.argv.slice(2)) await import(url)
console.log([...others].join("\n"))
