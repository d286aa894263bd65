import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path, Schema } from "effect"
import * as Consumer from "./consumer.ts"
import * as DatabaseCommandLine from "./database-command-line.ts"

/** The code blocks of a language in the README, in order. */
const blocks = (language: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const readme = yield* fs.readFileString(`${Consumer.repository}README.md`)
    return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code]) =>
      code ?? ""
    )
  })

/** Lines without what differs from run to run. */
const lines = (text: string): ReadonlyArray<string> =>
  text.split("\n")
    .map((line) =>
      line.replaceAll(/reprise-demo-\w+/g, "DEMO").replaceAll(/[0-9a-f-]{36}/g, "ID").replace(
        /process \d+/,
        "process N"
      )
    )
    .filter((line) => line !== "")

const Manifest = Schema.fromJsonString(Schema.Struct({ scripts: Schema.Record(Schema.String, Schema.String) }))

describe("README", () => {
  it.live("its picture is what the demonstration prints", () =>
    Effect.gen(function*() {
      const [picture = ""] = yield* blocks("text")
      const { exitCode, output } = yield* Consumer.run(process.execPath, ["test/demo/demo.ts"], Consumer.repository)
      assert.strictEqual(exitCode, 0, output)
      const printed = lines(output)
      assert.deepStrictEqual(lines(picture).filter((line) => !printed.includes(line)), [])
    }).pipe(Effect.provide(Consumer.layer)), 60_000)

  it.live("its walk-through is what the command line prints", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const [walk = ""] = yield* blocks("console")
      const clone = Consumer.repository.replace(/\/$/, "")
      const project = yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-walk-" }))
      const script = [
        `CLONE="${clone}"`,
        `REPRISE_DIR="${project}/.sessions"; export REPRISE_DIR`,
        `reprise() { "${process.execPath}" "$CLONE/src/cli/main.ts" "$@"; }`,
        ...walk.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.slice(2))
      ].join("\n")
      const { exitCode, output } = yield* Consumer.run("sh", ["-c", script], project)
      assert.strictEqual(exitCode, 0, output)
      const masked = (text: string) =>
        text.replaceAll(project, "/projects/calculator").replaceAll(clone, "$CLONE").replaceAll(
          /[0-9a-f]{8}-[0-9a-f-]{27}/g,
          "ID"
        ).replaceAll(
          /(resume) [0-9a-f]{8}$/gm,
          "$1 ID"
        ).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME").split("\n").filter((line) => line !== "")
      assert.deepStrictEqual(masked(output), masked(walk).filter((line) => !line.startsWith("$ ")))
    }).pipe(Effect.scoped, Effect.provide(Consumer.layer)), 60_000)

  it.effect("its commands install what is locked and run scripts that exist", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const manifest = yield* fs.readFileString(`${Consumer.repository}package.json`)
      const { scripts } = yield* Schema.decodeEffect(Manifest)(manifest)
      const commands = (yield* blocks("sh")).map((block) => block.trim().split(" && "))
      assert.deepStrictEqual(commands.map(([first]) => first), ["npm ci", "npm ci"])
      const run = commands.flatMap(([, ...rest]) => rest).map((command) => command.replace(/^npm (run )?/, ""))
      assert.deepStrictEqual(run, ["demo", "test"])
      assert.deepStrictEqual(run.filter((name) => !(name in scripts)), [])
    }).pipe(Effect.provide(Consumer.layer)))

  it.live(
    "its programs pass the type checker and run in an application that installed the package",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const { library, root } = yield* Consumer.make
        const programs = yield* blocks("ts")
        const files: Array<string> = []
        for (const [index, code] of programs.entries()) {
          const directory = path.join(root, `program-${index}`)
          const file = path.join(directory, code.includes("@effect/vitest") ? "program.test.ts" : "program.ts")
          yield* fs.makeDirectory(directory)
          yield* fs.writeFileString(file, code)
          files.push(file)
        }
        const types = yield* Consumer.checkTypes(root, files)
        assert.strictEqual(types.exitCode, 0, types.output)

        const outputs: Array<string> = []
        for (const file of files) {
          const isTest = file.endsWith(".test.ts")
          const vitest = path.join(Consumer.repository, "node_modules", "vitest", "vitest.mjs")
          const args = isTest ? [vitest, "run", "--root", path.dirname(file)] : [file]
          const { exitCode, output } = yield* Consumer.run(process.execPath, args, path.dirname(file))
          assert.strictEqual(exitCode, 0, output)
          outputs.push(output)
        }
        assert.include(outputs[0], "1 stored; 3 messages; closed")
        assert.include(outputs[1], "No stored session")
        assert.include(outputs[2], "user, assistant")
        assert.include(outputs[3], "exported ., imported verified; Resigned, Resigned")
        assert.include(outputs[3], "loaded")
        assert.include(outputs[4], "It is 3. user, assistant, tool, assistant")
        // The layers of a cluster: they are made, and have no database to run on.
        assert.strictEqual(outputs[5], "")
        assert.include(outputs[6], "1 session: Copied, then Present; loaded Fix the sum")
        assert.include(outputs[7], "1 passed")
        assert.strictEqual(outputs.length, 8)
        yield* DatabaseCommandLine.check({ library, root })
        assert.includeMembers(yield* fs.readDirectory(library), ["dist", "src", "README.md", "LICENSE", "package.json"])
      }).pipe(Effect.scoped, Effect.provide(Consumer.layer)),
    240_000
  )
})
