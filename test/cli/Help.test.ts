/** Help: every command has one with an example, and every example does what it says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import type { Command } from "effect/cli"
import * as NodeFs from "node:fs"
import { cli } from "../../src/cli/Cli.ts"
import { ExitCode } from "../../src/cli/ExitCode.ts"
import * as Package from "../../src/cli/Package.ts"
import * as Histories from "../suites/history.ts"
import * as Cli from "./cli-rig.ts"

interface Known {
  readonly path: ReadonlyArray<string>
  readonly command: Command.Command.Any
}

const below = ({ command, path }: Known): ReadonlyArray<Known> =>
  command.subcommands.flatMap(({ commands }) => commands)
    .map((command) => ({ command, path: [...path, command.name] }))
    .flatMap((known) => [known, ...below(known)])

const commands = below({ path: [], command: cli })

/** A line of a shell: words, some of them in quotes, `~` and `*`. */
const words = (line: string, home: string): ReadonlyArray<string> =>
  Array.from(line.matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => quoted ?? word).flatMap((word) => {
    const path = word.replace(/^~/, home)
    if (!path.endsWith("/*.json")) return [path]
    const directory = path.slice(0, -"/*.json".length)
    return NodeFs.readdirSync(directory).map((name) => `${directory}/${name}`)
  })

/** Where examples run: sessions of the project, one of them in the trash, shown once. */
const place = Effect.fnUntraced(function*(needsKeys: boolean) {
  const rig = yield* needsKeys ? Cli.asShipped : Cli.inMemory
  const { project, root, run, within } = rig
  for (const name of ["one", "two", "three", "parser"]) yield* within(Cli.stored({ project, name, messages: 2 }))
  const removed = yield* within(Cli.stored({ project, name: "removed" }))
  yield* within(Sessions.remove(removed))
  const origin = `${root}/.jido_code/sessions`
  NodeFs.mkdirSync(origin, { recursive: true })
  NodeFs.copyFileSync(
    new URL("../fixtures/version1/todos.json", import.meta.url),
    `${origin}/todos.json`
  )
  Histories.layOut(root)
  yield* run(["list"])
  return rig
})

/** What can't be done without a terminal says so. */
const needsTerminal = ["reprise resume", "reprise clear"]

describe("Help", () => {
  it("is there for every command of the program, with an example", () => {
    assert.deepStrictEqual(commands.map(({ path }) => path.join(" ")).sort(), [
      "cleanup",
      "clear",
      "completions",
      "delete",
      "doctor",
      "export",
      "fork",
      "import",
      "keys",
      "keys encrypt",
      "keys list",
      "keys rotate",
      "list",
      "new",
      "rename",
      "restore",
      "resume",
      "search",
      "show",
      "store",
      "store copy",
      "verify"
    ])
    for (const { command, path } of commands) {
      assert.isAbove(command.examples.length, 0, path.join(" "))
      assert.isString(command.description)
      for (const example of command.examples) assert.match(example.command, /^reprise /)
    }
  })

  it.effect("is printed with --help, examples and all, and ends with 0", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      for (const { command, path } of commands) {
        const { code, err, out } = yield* run([...path, "--help"])
        assert.deepStrictEqual([code, err], [0, ""])
        for (const example of command.examples) assert.include(out, `  ${example.command}\n`)
      }
      assert.strictEqual((yield* run([])).code, 0)
      assert.include((yield* run(["--help"])).out, "doctor")
      const version = Package.version()
      assert.strictEqual((yield* run(["--version"])).out, `reprise v${version}\n`)
    }))

  it.effect("is uncolored with --color never, and colored with --color always", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      assert.notInclude((yield* run(["--help", "--color", "never"], { terminal: 80 })).out, "\u001b[")
      assert.include((yield* run(["--help", "--color", "always"])).out, "\u001b[")
    }))

  for (const { command, path } of commands) {
    for (const example of command.examples) {
      it.effect(`${path.join(" ")}: ${example.command}`, () =>
        Effect.gen(function*() {
          const { project, root, run, sessions } = yield* place(["keys", "doctor", "store"].includes(path[0] ?? ""))
          if (path[0] === "store") {
            // Where the examples have them.
            for (const beside of [project, `${root}/.local/state/reprise`]) {
              NodeFs.cpSync(sessions, `${beside}/sessions`, { recursive: true })
              NodeFs.copyFileSync(`${root}/keyring.json`, `${beside}/keyring.json`)
            }
          }
          if (example.command.includes("import session.json")) {
            yield* run(["export", "last", "--output", `${project}/session.json`])
          }
          const [, ...args] = words(example.command, root)
          const { code, err } = yield* run(args)
          assert.strictEqual(code, needsTerminal.includes(example.command) ? ExitCode.usage : ExitCode.done, err)
        }))
    }
  }
})
