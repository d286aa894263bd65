/** For `--import`: what asks for the library by its name gets its sources. */
import { registerHooks } from "node:module"

const source = new URL("../../../src/", import.meta.url)

registerHooks({
  resolve: (specifier, context, next) => {
    const [, room = ""] = /^effect-reprise(\/\w+)?$/.exec(specifier) ?? []
    return specifier.startsWith("effect-reprise")
      ? next(new URL(`.${room}/index.ts`, source).href, context)
      : next(specifier, context)
  }
})
