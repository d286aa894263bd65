/** A copy that is killed, as a real process, and run again. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schema, type Scope, Stream } from "effect"
import { SessionLimits, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Shared from "../suites/postgres-shared.ts"
import * as Postgres from "../suites/postgres.ts"
import * as Rig from "../suites/rig.ts"
import { fingerprint } from "../suites/tree.ts"

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

const count = 12

/** Sessions with a large part each, and a few that were interrupted or removed. */
const fill = Effect.fnUntraced(function*(project: string) {
  for (let index = 0; index < count; index++) {
    const session = yield* Sessions.create({ project, name: `session ${index}`, config: Rig.config })
    const data = Buffer.alloc(300_000, `picture ${index}`).toString("base64")
    yield* session.append({ role: "user", content: [{ type: "file", mediaType: "image/png", data }] })
    yield* Sessions.close(session.id)
    if (index % 5 === 0) yield* Sessions.remove(session.id)
  }
})

/** What is at a place, every part of it verified. */
const seen = Effect.gen(function*() {
  const entries = yield* Stream.runCollect(Sessions.list({ status: ["closed", "removed", "running", "interrupted"] }))
  yield* Effect.forEach(entries, (entry) => entry._tag === "Stored" ? Sessions.verify(entry.id) : Effect.die(entry))
  return entries.flatMap((entry) =>
    entry._tag === "Stored" ? [`${entry.id} ${entry.status} ${entry.updatedAt} ${entry.removedAt}`] : []
  ).sort()
})

/** Copies as a process of its own, and kills it once it has told of so many sessions. */
const copy = Effect.fnUntraced(function*(from: string, to: string, home: string, killAfter = Infinity) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [main, "store", "copy", "--from", from, "--to", to, "--ndjson"], {
      env: { REPRISE_DIR: from, HOME: home, XDG_CACHE_HOME: `${home}/cache` },
      extendEnv: true,
      stdin: "ignore",
      killSignal: "SIGKILL"
    })
  )
  let lines = 0
  const last = yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.tap(() => Effect.suspend(() => ++lines === killAfter ? Effect.ignore(child.kill()) : Effect.void)),
    Stream.runLast
  )
  return { lines, last: last._tag === "Some" ? last.value : "" }
}, Effect.scoped)

interface Target {
  readonly to: string
  readonly layer: Layer.Layer<NodeSessions.Services, unknown>
}

const targets: ReadonlyArray<
  readonly [string, (root: string, directory: string) => Effect.Effect<Target, unknown, Scope.Scope>]
> = [
  ["files", (root) => {
    const to = `${root}/there/sessions`
    return Effect.succeed({ to, layer: NodeSessions.layer({ directory: to }) })
  }],
  ["PostgreSQL", (_, directory) =>
    Effect.map(Shared.database, ({ schema, url }) => {
      const to = new URL(url)
      to.searchParams.set("options", `-csearch_path=${schema},public`)
      const client = Postgres.layerClient({ schema, url })
      const store = SqlSessionStore.layer().pipe(Layer.provide(SqlSessionStore.layerClient(client)))
      return { to: to.href, layer: NodeSessions.layer({ directory, store }) }
    })]
]

it.live(
  "A copy that is killed shows whole sessions only, goes on when it is run again, and leaves its source as it was",
  () =>
    Effect.gen(function*() {
      const { project, root, sessions } = yield* Rig.workspace
      const source = NodeSessions.layer({ directory: sessions }).pipe(
        Layer.provide(Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, blobOver: 1024 }))
      )
      yield* Effect.provide(fill(project), source, { local: true })
      const all = yield* Effect.provide(seen, source, { local: true })
      const before = fingerprint(sessions)

      for (const [name, target] of targets) {
        const { layer, to } = yield* target(root, sessions)
        // In the middle of the next ones.
        const killed = yield* copy(sessions, to, root, 3)
        assert.isBelow(killed.lines, count + 1, name)
        const first = yield* Effect.provide(seen, layer, { local: true })
        assert.isAtLeast(first.length, 3, name)
        assert.deepStrictEqual(first.filter((session) => !all.includes(session)), [], name)

        const { last } = yield* copy(sessions, to, root)
        const { totals } = yield* Schema.decodeEffect(Schema.fromJsonString(CliJson.CopySummary))(last)
        assert.deepStrictEqual([totals.copied + totals.present, totals.sessions], [count, count], name)
        assert.isAtLeast(totals.present, first.length, name)
        assert.deepStrictEqual(yield* Effect.provide(seen, layer, { local: true }), all, name)
      }
      assert.strictEqual(fingerprint(sessions), before)
      const leftovers = NodeFs.readdirSync(`${root}/there/sessions`).filter((name) => name.includes("."))
      assert.deepStrictEqual(leftovers, [])
    }).pipe(Effect.provide([NodeServices.layer, Logger.layer([])])),
  60_000
)
