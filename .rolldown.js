// The bundle of the command line. What every command needs, and `list` with it,
// is one file: what a person waits for is mostly the number of files. The rest is
// loaded by the commands that need it.
import { fileURLToPath } from "node:url"
import { defineConfig } from "rolldown"

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

const eager = ["src/cli/Process.ts", "src/cli/handlers/List.ts", "src/cli/Listing.ts"].map(at)

/** Every module that these import, and what those import. */
export const closure = (ids, importedBy) => {
  const found = new Set()
  const add = (id) => {
    if (found.has(id)) return
    found.add(id)
    importedBy(id).forEach(add)
  }
  ids.forEach(add)
  return found
}

/** What dependencies make when they are loaded and few runs need, made when it is needed. */
const late = [
  {
    // Loads the rules for graphemes: a quarter of the time of `node -e 0`.
    id: /effect\/dist\/cli\/CliOutput\.js$/,
    edits: [
      [/const graphemeSegmenter = [^;]+;/, "let graphemeSegmenter;"],
      [
        "graphemeSegmenter.segment(",
        "(graphemeSegmenter ??= new Intl.Segmenter(undefined, { granularity: \"grapheme\" })).segment("
      ]
    ]
  },
  {
    // Only temporary directories have random names.
    id: /platform-node-shared\/dist\/NodeFileSystem\.js$/,
    edits: [
      ["import * as Crypto from \"node:crypto\";", ""],
      ["Crypto.randomBytes(", "process.getBuiltinModule(\"node:crypto\").randomBytes("]
    ]
  }
]

const makeLate = {
  name: "make-late",
  transform(code, id) {
    let result = code
    for (const [text, by] of late.find((one) => one.id.test(id))?.edits ?? []) {
      const edited = result.replace(text, by)
      if (edited === result) throw new Error(`${id} has no ${text} any more: look at what to make late there`)
      result = edited
    }
    return result
  }
}

let start

export default defineConfig({
  input: { reprise: at("src/cli/bin.ts") },
  platform: "node",
  // Applications bring it, and it brings its own Effect.
  external: [/^@effect\/sql-pg/],
  plugins: [makeLate],
  output: {
    dir: at("dist/bin"),
    format: "esm",
    minify: true,
    chunkFileNames: "[name].js",
    codeSplitting: {
      groups: [{
        debugName: "start",
        name: (id, context) => {
          start ??= closure(eager, (id) => context.getModuleInfo(id)?.importedIds ?? [])
          return start.has(id) ? "start" : null
        }
      }]
    }
  }
})
