/**
 * The command line of the packed library, in an application, on a real PostgreSQL:
 * without the package that speaks to it, and with it.
 */
import { assert } from "@effect/vitest"
import { Effect, FileSystem, Path, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeFs from "node:fs"
import * as Door from "../suites/postgres-door.ts"
import * as Shared from "../suites/postgres-shared.ts"
import * as Consumer from "./consumer.ts"

/** Text that a stream gives until it ends. */
const text = (stream: Stream.Stream<Uint8Array, unknown>) => Stream.mkString(Stream.decodeText(stream))

export const check = Effect.fnUntraced(function*({ library, root }: Effect.Success<typeof Consumer.make>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const bin = path.join(library, "dist", "bin", "reprise.js")
  const { schema, url } = yield* Shared.database
  const store = new URL(url)
  store.searchParams.set("options", `-csearch_path=${schema},public`)

  const start = (args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
    spawner.spawn(ChildProcess.make(process.execPath, [bin, ...args], {
      cwd: root,
      env: { HOME: root, REPRISE_DIR: path.join(root, "state", "sessions"), XDG_CACHE_HOME: root, ...env },
      extendEnv: true,
      stdin: "ignore",
      killSignal: "SIGKILL"
    }))
  const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
    const child = yield* start(args, { REPRISE_STORE: store.href })
    const [out, err] = yield* Effect.all([text(child.stdout), text(child.stderr)], { concurrency: 2 })
    return { code: Number(yield* child.exitCode), err, out }
  }, Effect.scoped)
  const well = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
    const { code, err, out } = yield* run(args)
    assert.deepStrictEqual([code, err], [0, ""], args.join(" "))
    return out
  })

  const without = yield* run(["list"])
  assert.strictEqual(without.code, 1)
  assert.include(without.err, "The package @effect/sql-pg is not installed.")
  assert.include(without.err, "npm install @effect/sql-pg")

  const client = path.join(root, "node_modules", "@effect", "sql-pg")
  yield* fs.symlink(path.join(Consumer.repository, "node_modules", "@effect", "sql-pg"), client)
  yield* well("new", "--name", "packed")
  assert.include(yield* well("list"), "packed")
  assert.include(yield* well("verify"), "intact")
  assert.notMatch(yield* well("doctor"), /^(warning|failed)/m)
  const back = path.join(root, "back", "sessions")
  assert.include(yield* well("store", "copy", "--from", store.href, "--to", back), "1 session: 1 copied and verified")
  assert.include(yield* well("store", "copy", "--from", back, "--to", store.href), "1 there already")
  assert.include(yield* well("--dir", back, "list"), "packed")

  // What other users of the machine see of it while it waits.
  if (process.platform !== "linux") return
  const { isKnocked, port } = yield* Door.open("silence")
  const waiting = yield* start(["--store", `postgres://me:secret@127.0.0.1:${port}/x`, "list"])
  yield* isKnocked
  const shown = NodeFs.readFileSync(`/proc/${Number(waiting.pid)}/cmdline`, "latin1")
  assert.match(shown, /^reprise/)
  assert.notInclude(shown, "secret")
})
