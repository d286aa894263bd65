/** The command line as real processes with pipes: as it is built, and from its modules. */
import { NodeServices } from "@effect/platform-node"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Queue, Schema, type Scope, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import { fileURLToPath } from "node:url"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Package from "../../src/cli/Package.ts"
import * as Rig from "../suites/rig.ts"
import * as Cli from "./cli-rig.ts"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const repository = at("../..")
const main = at("../../src/cli/main.ts")

/** A package of its own with the bundle in it, away from everything that it was built from. */
const shipped = NodeFs.realpathSync(NodeFs.mkdtempSync(`${NodeOs.tmpdir()}/reprise-shipped-`))
const bin = `${shipped}/dist/bin/reprise.js`

beforeAll(() => {
  NodeChildProcess.execFileSync(
    process.execPath,
    ["node_modules/rolldown/bin/cli.mjs", "--config", ".rolldown.js", "--dir", `${shipped}/dist/bin`],
    { cwd: repository, stdio: "pipe" }
  )
  NodeFs.copyFileSync(`${repository}/package.json`, `${shipped}/package.json`)
}, 120_000)

afterAll(() => NodeFs.rmSync(shipped, { recursive: true, force: true }))

const decode = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string) =>
  Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(schema))(text))

interface Place {
  readonly root: string
  readonly project: string
  readonly sessions: string
}

const environment = ({ root, sessions }: Place) => ({
  REPRISE_DIR: sessions,
  HOME: root,
  XDG_CACHE_HOME: `${shipped}/cache`,
  NO_COLOR: undefined,
  COLUMNS: undefined
})

/** Runs a program to its end. */
const run = Effect.fnUntraced(function*(
  place: Place,
  args: ReadonlyArray<string>,
  options: { readonly program?: string; readonly cwd?: string } = {}
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make(process.execPath, [options.program ?? bin, ...args], {
    cwd: options.cwd ?? place.project,
    env: environment(place),
    extendEnv: true,
    stdin: "ignore"
  }))
  const text = (stream: Stream.Stream<Uint8Array, unknown>) => Stream.mkString(Stream.decodeText(stream))
  const [out, err] = yield* Effect.all([text(child.stdout), text(child.stderr)], { concurrency: 2 })
  return { code: Number(yield* child.exitCode), out, err }
}, Effect.scoped)

/** Runs a line of a shell, in which `reprise` is the program. */
const shell = Effect.fnUntraced(function*(place: Place, line: string, program: string = "bash") {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make(program, ["-c", line], {
    cwd: place.project,
    env: { ...environment(place), reprise: `${process.execPath} ${bin}` },
    extendEnv: true,
    stdin: "ignore"
  }))
  const text = (stream: Stream.Stream<Uint8Array, unknown>) => Stream.mkString(Stream.decodeText(stream))
  const [out, err] = yield* Effect.all([text(child.stdout), text(child.stderr)], { concurrency: 2 })
  return { code: Number(yield* child.exitCode), out, err }
}, Effect.scoped)

const hasProgram = (name: string) =>
  (process.env["PATH"] ?? "").split(":").some((directory) => NodeFs.existsSync(`${directory}/${name}`))

const test = <A, E>(
  name: string,
  body: (place: Place) => Effect.Effect<A, E, ChildProcessSpawner.ChildProcessSpawner | Scope.Scope>
) => it.effect(name, () => Effect.provide(Effect.flatMap(Rig.workspace, body), NodeServices.layer), 60_000)

describe("reprise, as a process with pipes", () => {
  test("creates, lists, shows and deletes, with its results on standard output and its codes", (place) =>
    Effect.gen(function*() {
      const made = yield* run(place, ["new", "--name", "日本 e\u0301\u001b[2J", "--json"])
      assert.deepStrictEqual([made.code, made.err], [0, ""])
      const { id } = yield* decode(CliJson.Named, made.out)
      const listed = yield* run(place, ["list"])
      assert.deepStrictEqual([listed.code, listed.err], [0, ""])
      assert.match(listed.out, new RegExp(`^1 {2}日本 e\u0301\\\\x1b\\[2J {2}closed .* ${id.slice(0, 8)}$`, "m"))
      assert.notInclude(listed.out, "\u001b")
      assert.strictEqual((yield* run(place, ["show", "1"])).out.split("\n")[0], "日本 e\u0301\\x1b[2J")
      assert.strictEqual((yield* run(place, ["delete", "1"])).code, 0)
      const gone = yield* run(place, ["show", "1"])
      assert.deepStrictEqual([gone.code, gone.out], [3, ""])
      assert.lengthOf(gone.err.trimEnd().split("\n"), 3)
      assert.deepStrictEqual(NodeFs.readdirSync(place.root).sort(), [
        "keyring.json",
        "listings",
        "project",
        "sessions"
      ])
    }))

  test("ends with 2 for what is no command, and with 4 for what was tampered with", (place) =>
    Effect.gen(function*() {
      const wrong = yield* run(place, ["lst"])
      assert.deepStrictEqual([wrong.code, wrong.out], [2, ""])
      const { id } = yield* decode(CliJson.Named, (yield* run(place, ["new", "--json"])).out)
      NodeFs.appendFileSync(`${place.sessions}/${id}/session.json`, " ")
      const broken = yield* run(place, ["show", id, "--json"])
      assert.strictEqual(broken.code, 4)
      const error = yield* Cli.errorOf(broken.err)
      assert.strictEqual(error.exitCode, 4)
    }))

  test("is whole, also where it is more than a pipe holds", (place) =>
    Effect.gen(function*() {
      const { code, err, out } = yield* shell(
        place,
        "$reprise completions fish > $HOME/whole; $reprise completions fish | cmp - $HOME/whole && wc -c < $HOME/whole"
      )
      assert.deepStrictEqual([code, err], [0, ""])
      assert.isAbove(Number(out), 65_536)
    }))

  test("ends in silence when its reader goes away", (place) =>
    Effect.gen(function*() {
      const { err, out } = yield* shell(place, "$reprise --help | head -n 1; $reprise completions bash | true")
      assert.deepStrictEqual([out, err], ["DESCRIPTION\n", ""])
    }))

  // Where coverage is measured Node keeps nothing that it compiled.
  it.effect.skipIf(process.env["REPRISE_TEST_COVERAGE"] === "true")(
    "keeps what Node compiled in the user's cache directory",
    () =>
      Effect.gen(function*() {
        yield* run(yield* Rig.workspace, ["--version"])
        assert.include(NodeFs.readdirSync(`${shipped}/cache`), "reprise")
      }).pipe(Effect.provide(NodeServices.layer)),
    60_000
  )

  test("is the same from its modules", (place) =>
    Effect.gen(function*() {
      const made = yield* run(place, ["new", "--json"], { program: main })
      const { id } = yield* decode(CliJson.Named, made.out)
      assert.strictEqual(
        (yield* run(place, ["show", id], { program: main })).out,
        (yield* run(place, ["show", id])).out
      )
      const [wrong, same] = yield* Effect.all([run(place, ["lst"], { program: main }), run(place, ["lst"])])
      assert.deepStrictEqual(wrong, same)
    }))

  test("finds the version of its package, and loads what it needs when it needs it", (place) =>
    Effect.gen(function*() {
      const version = Package.version()
      const shown = yield* run(place, ["--version"])
      assert.deepStrictEqual([shown.err, shown.out], ["", `reprise v${version}\n`])
      yield* run(place, ["new"])
      for (const args of [["verify"], ["doctor"], ["keys", "list"], ["cleanup", "--dry-run"], ["export", "last"]]) {
        const { code, err } = yield* run(place, args)
        assert.deepStrictEqual([code, err], [0, ""], args.join(" "))
      }
    }))
})

describe("A signal", () => {
  /** A session with an agent that can't be interrupted, once the agent works. */
  const stubborn = Effect.fnUntraced(function*(place: Place) {
    yield* run(place, ["new"])
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const child = yield* spawner.spawn(
      ChildProcess.make(process.execPath, [main, "resume", "last", "--agent", at("programs/stubborn.ts")], {
        cwd: place.project,
        env: environment(place),
        extendEnv: true,
        // Open, and nobody says anything.
        stdin: Stream.never,
        killSignal: "SIGKILL"
      })
    )
    const lines = yield* Queue.unbounded<string, "end">()
    yield* child.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => Queue.offer(lines, line)),
      Effect.ensuring(Queue.fail(lines, "end")),
      Effect.forkScoped
    )
    while (!(yield* Queue.take(lines)).includes("working")) yield* Effect.void
    return child
  })

  test("ends in order, and a second one at once with 130, which leaves the session to be resumed", (place) =>
    Effect.gen(function*() {
      const child = yield* stubborn(place)
      // Two kinds, since two of one kind may arrive as one. The first alone would wait for the agent, and save.
      process.kill(child.pid, "SIGINT")
      process.kill(child.pid, "SIGTERM")
      assert.strictEqual(Number(yield* child.exitCode), 130)
      const { sessions } = yield* decode(CliJson.List, (yield* run(place, ["list", "--json"])).out)
      assert.deepStrictEqual(sessions.map(({ state }) => state), ["interrupted"])
      const shown = yield* decode(CliJson.Show, (yield* run(place, ["show", "last", "--json"])).out)
      assert.strictEqual(shown.session.conversation.at(-1)?.content, "working")
    }))
})

describe("Completions", () => {
  const ways = [
    ["bash", "source <($reprise completions bash) && complete -p reprise"],
    [
      "zsh",
      "autoload -U compinit && compinit -u -d $HOME/dump && source <(${=reprise} completions zsh) && echo ${_comps[reprise]}"
    ],
    ["fish", "eval $reprise completions fish | source; complete -C 'reprise ver'"]
  ] as const
  for (const [program, line] of ways) {
    it.effect.skipIf(!hasProgram(program))(`load in ${program}`, () =>
      Effect.gen(function*() {
        const place = yield* Rig.workspace
        const { code, err, out } = yield* shell(place, line, program)
        assert.deepStrictEqual([code, err], [0, ""])
        assert.include(out, program === "fish" ? "verify" : "_reprise")
      }).pipe(Effect.provide(NodeServices.layer)), 60_000)
  }
})
