// The library for node, in few files: what an import waits for is mostly their
// number. Whoever bundles it for something else takes its modules one by one.
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "rolldown"
import { closure } from "./.rolldown.js"

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

const { exports } = JSON.parse(NodeFs.readFileSync(at("package.json"), "utf8"))

/** The entries by their names: `./dist/bundle/sql.js` is made of `./dist/sql/index.js`. */
const entries = Object.values(exports).flatMap(({ default: module, node }) =>
  node === undefined
    ? []
    : [[node.replace(/^.*\/|\.js$/g, ""), at(module.replace("/dist/", "/src/").replace(/js$/, "ts"))]]
)

/** What those who import these get in one file each, the later ones without the earlier ones. */
const rooms = { library: "src/index.ts", node: "src/node/index.ts" }

let roomOf

export default defineConfig({
  // The command line for programs of others, too: it and they are to share one copy of the library.
  input: { ...Object.fromEntries(entries), main: at("src/cli/main.ts") },
  platform: "node",
  external: /^[^./]/,
  output: {
    // All in one directory, as far below the package as the modules are.
    dir: at("dist/bundle"),
    format: "esm",
    sourcemap: true,
    chunkFileNames: "shared.[name].js",
    codeSplitting: {
      groups: [{
        name: (id, context) => {
          roomOf ??= new Map(
            Object.entries(rooms).toReversed().flatMap(([room, entry]) =>
              [...closure([at(entry)], (id) => context.getModuleInfo(id)?.importedIds ?? [])].map((id) => [id, room])
            )
          )
          return roomOf.get(id) ?? null
        }
      }]
    }
  }
})
