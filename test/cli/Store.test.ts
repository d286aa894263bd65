/** Sessions of the command line in databases, in process. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, type Scope } from "effect"
import type { SessionId } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { SqlClient } from "effect/sql"
import * as NodeFs from "node:fs"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Door from "../suites/postgres-door.ts"
import * as Shared from "../suites/postgres-shared.ts"
import * as Postgres from "../suites/postgres.ts"
import type * as SqlStack from "../suites/sql-stack.ts"
import * as Cli from "./cli-rig.ts"

/** A database of its own, as it is named on the command line, and a client of it. */
interface Place {
  readonly name: string
  readonly client: SqlStack.Client
}

const kinds: ReadonlyArray<{
  readonly kind: string
  readonly place: (desk: Cli.Desk) => Effect.Effect<Place, unknown, Scope.Scope>
}> = [
  {
    kind: "PostgreSQL",
    place: () =>
      Effect.map(Shared.database, ({ schema, url }) => {
        const name = new URL(url)
        name.searchParams.set("options", `-csearch_path=${schema},public`)
        return { name: name.href, client: Postgres.layerClient({ schema, url }) }
      })
  },
  {
    kind: "SQLite",
    place: ({ root }) =>
      Effect.succeed({
        name: `sqlite:${root}/sessions.db`,
        client: NodeSqlite.layer({ filename: `${root}/sessions.db` })
      })
  }
]

const decode = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string) =>
  Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(schema))(text))

/** Runs `reprise` as the program does, and expects it to end well. */
const running = (desk: Cli.Desk, env: Record<string, string> = {}) => {
  const run = (...args: ReadonlyArray<string>) => desk.run(args, { isWhole: true, env })
  const well = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
    const { code, err, out } = yield* run(...args)
    assert.deepStrictEqual([code, err], [0, ""], args.join(" "))
    return out
  })
  const created = (...args: ReadonlyArray<string>) =>
    Effect.flatMap(well("new", "--json", ...args), (out) => Effect.map(decode(CliJson.Named, out), ({ id }) => id))
  const listed = (...args: ReadonlyArray<string>) =>
    Effect.flatMap(
      well("list", "--all", "--json", ...args),
      (out) => Effect.map(decode(CliJson.List, out), ({ sessions }) => sessions.map(({ name }) => name))
    )
  const doctor = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
    const { code, out } = yield* run("doctor", "--json", ...args)
    const { checks } = yield* decode(CliJson.Doctor, out)
    return { code, checks, worries: checks.filter(({ status }) => status !== "ok").map(({ name }) => name) }
  })
  return { created, doctor, listed, run, well }
}

const within = <A, E>(place: Place, effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(effect, place.client, { local: true })

for (const { kind, place } of kinds) {
  describe(`Sessions of the command line in ${kind}`, () => {
    it.effect("are made, listed, shown, renamed, forked, searched, removed and exported", () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const { name } = yield* place(desk)
        const { created, listed, run, well } = running(desk, { REPRISE_STORE: name })
        const id = yield* created("--name", "one")
        assert.deepStrictEqual(yield* listed(), ["one"])
        yield* well("list")
        assert.include(yield* well("show", "1"), id)
        yield* well("rename", "1", "first")
        yield* well("fork", id, "--name", "second")
        assert.deepStrictEqual((yield* listed()).sort(), ["first", "second"])
        assert.strictEqual((yield* run("search", "nothing")).code, 1)
        yield* well("verify")
        yield* well("cleanup", "--dry-run")
        yield* well("keys", "list")
        yield* well("keys", "rotate")
        yield* well("delete", "second")
        assert.deepStrictEqual(yield* listed(), ["first"])
        assert.deepStrictEqual(yield* listed("--state", "removed"), ["second"])
        yield* well("restore", "second")
        yield* well("export", "first", "--output", `${desk.project}/first.json`)
        yield* well("import", `${desk.project}/first.json`, "--copy")
        yield* well("clear", "--yes")
        assert.deepStrictEqual(yield* listed(), [])
        assert.isFalse(NodeFs.existsSync(`${desk.sessions}/${id}`))
      }))

    it.effect("are encrypted there where the key ring says so, and shown to who has it", () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const there = yield* place(desk)
        const { created, listed, well } = running(desk, { REPRISE_STORE: there.name })
        yield* created("--name", "xyzzy")
        yield* well("keys", "encrypt")
        assert.deepStrictEqual(yield* listed(), ["xyzzy"])
        yield* well("verify")
        const [row] = yield* within(
          there,
          SqlClient.SqlClient.use((sql) => sql<{ readonly bytes: Uint8Array }>`SELECT bytes FROM reprise_snapshots`)
        )
        assert.notInclude(Buffer.from(row?.bytes ?? []).toString("latin1"), "xyzzy")
      }))

    it.effect("are looked at by doctor, which makes no tables and tells what to do", () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const there = yield* place(desk)
        const { created, doctor, run } = running(desk, { REPRISE_STORE: there.name })
        yield* within(there, SqlClient.SqlClient.use((sql) => sql`SELECT 1`))
        const fresh = yield* doctor()
        assert.deepStrictEqual([fresh.code, fresh.worries], [0, ["clock"]])
        assert.include(fresh.checks.find(({ name }) => name === "tables")?.found, "None yet")
        assert.include((yield* doctor()).checks.find(({ name }) => name === "tables")?.found, "None yet")

        const id = yield* created("--name", "one")
        yield* created("--name", "two")
        const well = yield* doctor()
        // Tests have a clock of their own.
        assert.deepStrictEqual([well.code, well.worries], [0, ["clock"]])
        assert.include(well.checks.find(({ name }) => name === "sessions")?.found, "2 stored, 0 in the trash")
        assert.include(well.checks.find(({ name }) => name === "verified")?.found, "newest 2 sessions are intact")

        const change = Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`INSERT INTO reprise_blobs (session_id, digest, bytes) VALUES ('gone', 'none', ${new Uint8Array(
            3
          )})`
          yield* sql`UPDATE reprise_sessions SET state = 'held', lease_until = 0, is_open = 1 WHERE id = ${id}`
        })
        yield* within(there, change)
        const ill = yield* doctor()
        assert.deepStrictEqual([ill.code, ill.worries], [0, ["clock", "holders", "orphans", "interrupted"]])
        for (const { next, status } of ill.checks) assert.strictEqual(next === undefined, status === "ok")

        yield* within(
          there,
          SqlClient.SqlClient.use((sql) =>
            sql`UPDATE reprise_snapshots SET bytes = ${new TextEncoder().encode("{}")} WHERE session_id = ${id}`
          )
        )
        const broken = yield* doctor()
        assert.strictEqual(broken.code, 4)
        assert.include(broken.worries, "verified")

        const { needed } = yield* within(there, SqlSessionStore.inspectTables)
        yield* within(
          there,
          SqlClient.SqlClient.use((sql) => sql`DELETE FROM reprise_migrations WHERE migration_id = ${needed}`)
        )
        const older = yield* doctor()
        assert.deepStrictEqual([older.code, older.worries], [0, ["tables", "clock"]])
        assert.include(older.checks.find(({ name }) => name === "tables")?.found, `1 migration to ${needed} pending`)

        yield* within(
          there,
          SqlClient.SqlClient.use((sql) =>
            sql`INSERT INTO reprise_migrations (migration_id, name) VALUES (99, 'later')`
          )
        )
        const newer = yield* doctor()
        assert.deepStrictEqual([newer.code, newer.worries], [1, ["tables", "clock"]])
        assert.include((yield* run("list")).err, `version 99 and this program knows ${needed}`)
      }))

    it.effect("come from files and go back to them, as they are, and nothing is overwritten", () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const { name } = yield* place(desk)
        const { created, run, well } = running(desk)
        const id = yield* created("--name", "one")
        const other = yield* created("--name", "two")
        yield* well("delete", other)
        const copy = (from: string, to: string) =>
          Effect.flatMap(
            well("store", "copy", "--from", from, "--to", to, "--json"),
            (out) => decode(CliJson.StoreCopy, out)
          )
        const there = yield* copy(desk.sessions, name)
        assert.deepStrictEqual([there.totals.copied, there.totals.sessions], [2, 2])
        assert.deepStrictEqual([there.from, there.keyRing], [desk.sessions, `${desk.root}/keyring.json`])
        assert.strictEqual((yield* copy(desk.sessions, name)).totals.present, 2)

        const back = `${desk.root}/back/sessions`
        const again = yield* copy(name, back)
        assert.deepStrictEqual(again.sessions.map(({ outcome }) => outcome), ["copied", "copied"])
        assert.strictEqual(again.keyRing, `${desk.root}/back/keyring.json`)
        const bytes = (directory: string, id: SessionId.SessionId) =>
          NodeFs.readFileSync(`${directory}/${id}/session.json`, "utf8")
        assert.strictEqual(bytes(back, id), bytes(desk.sessions, id))
        yield* well("--dir", back, "verify")
        assert.strictEqual((yield* well("--dir", back, "list", "--state", "removed")).includes("two"), true)

        yield* well("--store", name, "rename", id, "another")
        const { code, err, out } = yield* run("store", "copy", "--from", desk.sessions, "--to", name)
        assert.strictEqual(code, 1)
        assert.include(out, `different  ${id}  one`)
        assert.include(out, "0 copied and verified (0 B), 1 there already, 1 different, 0 left out, 0 failed.")
        assert.include(err, "Nothing was overwritten.")
        assert.include(yield* well("--store", name, "show", id), "another")
      }))
  })
}

describe("Where sessions are", () => {
  it.effect("is told by --store, else --dir, else REPRISE_STORE, and numbers are those of that place", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { created, well } = running(desk, { REPRISE_STORE: `sqlite:${desk.root}/environment.db` })
      const names = (...args: ReadonlyArray<string>) => well("list", ...args)
      yield* created("--name", "environment")
      yield* created("--name", "option", "--store", `sqlite:${desk.root}/option.db`)
      yield* created("--name", "directory", "--dir", desk.sessions)
      assert.include(yield* names(), "environment")
      assert.include(yield* names("--store", `sqlite:${desk.root}/option.db`, "--dir", desk.sessions), "option")
      assert.include(yield* names("--dir", desk.sessions), "directory")
      assert.include(yield* names("--store", desk.sessions), "directory")
      yield* created("--name", "another", "--store", "../another/sessions")
      assert.include(yield* names("--store", "../another/sessions"), "another")
      assert.isTrue(NodeFs.existsSync(`${desk.root}/another/keyring.json`))
      assert.include(yield* well("show", "1"), "environment")
      assert.include(yield* well("show", "1", "--dir", desk.sessions), "directory")
    }))

  it.effect("is refused with 2 where it is no place, and nothing of it is repeated", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { run } = running(desk)
      for (const store of ["mysql://me:secret@host/x", "postgres://me:secret@:x/y", "sqlite:", ""]) {
        const { code, err } = yield* run("list", "--store", store)
        assert.strictEqual(code, 2, store)
        assert.include(err, "That names no place for sessions.")
        assert.notInclude(err, "secret")
      }
    }))
})

describe("A copy on the command line", () => {
  it.effect("wants a source that is there with its keys, and makes none", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { created, run } = running(desk)
      yield* created()
      const to = `${desk.root}/to/sessions`
      for (const from of [`${desk.root}/missing`, `sqlite:${desk.root}/missing.db`, to]) {
        const { code, err } = yield* run("store", "copy", "--from", from, "--to", to)
        assert.deepStrictEqual([code, err.split("\n")[0]], [1, "error: Nothing was copied."], from)
      }
      assert.deepStrictEqual(NodeFs.readdirSync(desk.root).sort(), ["keyring.json", "project", "sessions"])
    }))

  it.effect("tells whose key is not known at the destination, and ends with 4", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { created, run, well } = running(desk)
      const id = yield* created("--name", "one")
      const to = `${desk.root}/other/sessions`
      yield* well("--dir", to, "new")
      const { code, err, out } = yield* run("store", "copy", "--from", desk.sessions, "--to", to, "--ndjson")
      const [line = "", sum = ""] = out.split("\n")
      const copied = yield* decode(CliJson.Copied, line)
      assert.deepStrictEqual([copied.id, copied.outcome, copied.at], [id, "failed", "destination"])
      assert.strictEqual(copied.error?.error, "InvalidJson/UnknownKey")
      assert.strictEqual((yield* decode(CliJson.CopySummary, sum)).totals.failed, 1)
      assert.strictEqual(code, 4)
      assert.include(err, "which the key ring beside")
    }))

  it.live("shows on a terminal how far it has come, and lines only of what did not go well", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { created } = running(desk)
      yield* created("--name", "one")
      yield* created("--name", "two")
      const drawn: Array<string> = []
      const { code, out } = yield* desk.run(
        ["store", "copy", "--from", desk.sessions, "--to", `sqlite:${desk.root}/x.db`],
        { isWhole: true, terminal: 80, onStderr: (text) => drawn.push(text) }
      )
      assert.strictEqual(code, 0)
      assert.match(drawn.join(""), /copy 1\/2/)
      assert.match(out, /^2 sessions: 2 copied and verified/)
    }))

  it.effect("leaves out what somebody runs, and ends with 5", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { created, run } = running(desk)
      const id = yield* created("--name", "one")
      const lease = NodeFs.readdirSync(`${desk.sessions}/${id}`).find((name) => name.startsWith("lease.")) ?? ""
      const file = `${desk.sessions}/${id}/${lease}`
      const held = NodeFs.readFileSync(file, "utf8")
        .replace("\"released\"", "\"held\"").replace(/"bootId":"[^"]*"/, "\"bootId\":\"another\"")
        .replace(/"host":"[^"]*"/, "\"host\":\"another\"")
      NodeFs.writeFileSync(file, held)
      const { code, err, out } = yield* run(
        "store",
        "copy",
        "--from",
        desk.sessions,
        "--to",
        `sqlite:${desk.root}/x.db`
      )
      assert.strictEqual(code, 5)
      assert.include(out, `left       ${id}  one  elsewhere`)
      assert.include(err, "on another may be running it")
    }))
})

describe("A database that can't be used", () => {
  const refusals: ReadonlyArray<readonly [string, Door.Answer, string]> = [
    [
      "the password is wrong",
      { code: "28P01", message: "password authentication failed for user \"me\"" },
      "StoreError/WrongPassword"
    ],
    [
      "TLS is wanted",
      { code: "28000", message: "no pg_hba.conf entry for host \"::1\", user \"me\", database \"x\", no encryption" },
      "StoreError/TlsWanted"
    ],
    ["it is not there", { code: "3D000", message: "database \"x\" does not exist" }, "StoreError/NoDatabase"],
    ["it has no connection left", { code: "53300", message: "too many clients" }, "StoreError/TooManyConnections"],
    ["it says nothing", "silence", "StoreError/Unreachable"]
  ]
  for (const [how, answer, kind] of refusals) {
    it.live(`is told as such where ${how}, to every command, in time and without the password`, () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const { port } = yield* Door.open(answer)
        const store = `postgres://me:secret@127.0.0.1:${port}/x?connect_timeout=1`
        const { doctor, run } = running(desk, { REPRISE_STORE: store })
        const { code, err, out } = yield* run("list", "--json", "--verbose")
        const [first = ""] = err.split("\n")
        assert.deepStrictEqual([code, (yield* Cli.errorOf(first)).error], [1, kind])
        assert.notInclude(err + out, "secret")
        const looked = yield* doctor()
        assert.deepStrictEqual([looked.code, looked.worries], [1, ["database"]])
        assert.notInclude(JSON.stringify(looked.checks), "secret")
        const copied = yield* run("store", "copy", "--from", desk.sessions, "--to", store)
        assert.notInclude(copied.err + copied.out, "secret")
      }))
  }

  it.live("is told as such where nobody listens", () =>
    Effect.gen(function*() {
      const desk = yield* Cli.asShipped
      const { port } = yield* Effect.scoped(Door.open("silence"))
      const { run } = running(desk, { REPRISE_STORE: `postgres://me:secret@127.0.0.1:${port}/x` })
      const { code, err } = yield* run("list", "--json")
      assert.deepStrictEqual([code, (yield* Cli.errorOf(err)).error], [1, "StoreError/Unreachable"])
      assert.notInclude(err, "secret")
    }))

  // Another server need not let tests make users.
  it.live.skipIf(process.env["REPRISE_TEST_PG"] !== undefined)(
    "is told as such where the user has no rights",
    () =>
      Effect.gen(function*() {
        const desk = yield* Cli.asShipped
        const { schema, url } = yield* Shared.database
        const user = `${schema}_guest`
        const client = Postgres.layerClient({ schema, url })
        const asGuest = new URL(url)
        asGuest.username = user
        asGuest.searchParams.set("options", `-csearch_path=${schema}`)
        const { doctor, run } = running(desk, { REPRISE_STORE: asGuest.href })
        const asOwner = (effect: Effect.Effect<unknown, unknown, SqlClient.SqlClient>) =>
          Effect.provide(effect, client, { local: true })
        yield* asOwner(
          SqlClient.SqlClient.use((sql) =>
            Effect.andThen(
              sql`CREATE ROLE ${sql(user)} LOGIN`,
              sql`GRANT USAGE ON SCHEMA ${sql(schema)} TO ${sql(user)}`
            )
          )
        )
        const none = yield* doctor()
        assert.deepStrictEqual([none.code, none.worries], [1, ["tables"]])
        assert.include(none.checks.find(({ name }) => name === "tables")?.next, "GRANT CREATE ON SCHEMA")
        const refused = yield* run("list", "--json")
        assert.deepStrictEqual([refused.code, (yield* Cli.errorOf(refused.err)).error], [1, "StoreError/NoRights"])

        yield* asOwner(SqlSessionStore.migrate)
        const closed = yield* doctor()
        assert.deepStrictEqual([closed.code, closed.worries], [1, ["tables"]])
        const grant = closed.checks.find(({ name }) => name === "tables")?.next ?? ""
        assert.include(grant, "GRANT SELECT, INSERT, UPDATE, DELETE ON reprise_sessions")

        // What it says to do mends it, and nobody needs the right to make tables then.
        yield* asOwner(
          SqlClient.SqlClient.use((sql) => Effect.forEach(grant.split("; "), (statement) => sql.unsafe(statement)))
        )
        assert.strictEqual((yield* run("new")).code, 0)
        assert.deepStrictEqual((yield* doctor()).worries, [])
      })
  )
})
