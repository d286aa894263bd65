// The library for node, in few files: what an import waits for is mostly their
// number. Whoever bundles it for something else takes its modules one by one.
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "rolldown"

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

const { exports } = JSON.parse(NodeFs.readFileSync(at("package.json"), "utf8"))

/** The entries by their names: `./dist/bundle/sql.js` is made of `./dist/sql/index.js`. */
const entries = Object.values(exports).flatMap(({ default: module, node }) =>
  node === undefined
    ? []
    : [[node.replace(/^.*\/|\.js$/g, ""), at(module.replace("/dist/", "/src/").replace(/js$/, "ts"))]]
)

export default defineConfig({
  input: Object.fromEntries(entries),
  platform: "node",
  external: /^[^./]/,
  // All in one directory, as far below the package as the modules are.
  output: { dir: at("dist/bundle"), format: "esm", sourcemap: true, chunkFileNames: "shared.[name].js" }
})
