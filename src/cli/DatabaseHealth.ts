/**
 * Whether a database is as sessions need it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as SessionList from "../core/SessionList.ts"
import * as List from "../pipelines/List.ts"
import * as Load from "../pipelines/Load.ts"
import type { Contents, Count, Inspection, TablesFound } from "../sql/Inspection.ts"
import * as Backend from "./Backend.ts"
import * as Explain from "./Explain.ts"
import type { Check } from "./Health.ts"
import * as Place from "./Place.ts"
import * as Printable from "./Printable.ts"
import * as Words from "./Words.ts"

/** What a look came to: whether sessions can be looked at, and how many there are. */
interface Look {
  readonly checks: ReadonlyArray<Check>
  readonly isUsable: boolean
  readonly sessions: number
}

/** How long it may take in all. */
const patience = Duration.seconds(30)

const number = ({ count, isMore }: Count): string => `${isMore ? "more than " : ""}${count.toLocaleString("en")}`

const database = (place: Place.Database, { dialect, roundTrip, schema, user, version }: Inspection): Check => ({
  name: "database",
  status: "ok",
  found: Printable.line(
    dialect === "pg"
      ? `PostgreSQL ${version}, ${Place.shown(place)}, as ${user} in the schema ${schema}, ${roundTrip} ms away`
      : `SQLite ${version}, ${Place.shown(place)}`
  )
})

const quoted = (name: string): string => `"${name.replaceAll("\"", "\"\"")}"`

const noTables = ({ canCreate, schema, user }: Inspection): Check =>
  canCreate
    ? { name: "tables", status: "ok", found: "None yet (are made with the first session)." }
    : {
      name: "tables",
      status: "failed",
      found: Printable.line(
        schema === ""
          ? `There are none, and ${user} has no schema to make them in.`
          : `There are none, and ${user} may make none in the schema ${schema}.`
      ),
      next: Printable.line(
        schema === ""
          ? `CREATE SCHEMA AUTHORIZATION ${quoted(user)}`
          : `GRANT CREATE ON SCHEMA ${quoted(schema)} TO ${quoted(user)}, or let who may run any reprise command once`
      )
    }

const ofTables = ({ canWrite, owner, version: known }: TablesFound, { needed, user }: Inspection): Check => {
  const name = "tables"
  const version = Option.getOrElse(known, () => 0)
  const whose = owner === "" ? "" : `, of ${owner}`
  if (version > needed) {
    return {
      name,
      status: "failed",
      found: `Version ${version}${whose}: this program knows ${needed}.`,
      next: "Update the program: npm install -g effect-reprise@latest"
    }
  }
  if (!canWrite || Option.isNone(known)) {
    return {
      name,
      status: "failed",
      found: Printable.line(`They are of ${owner}, and ${user} may not read and write all of them.`),
      next: Printable.line(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON reprise_sessions, reprise_snapshots, reprise_journal, reprise_blobs, ` +
          `reprise_originals TO ${quoted(user)}; GRANT SELECT ON reprise_migrations TO ${quoted(user)}`
      )
    }
  }
  if (version < needed) {
    return {
      name,
      status: "warning",
      found: Printable.line(
        `Version ${version}${whose}: ${Words.count(needed - version, "migration")} to ${needed} pending.`
      ),
      next: owner === "" || owner === user
        ? "Any other command makes it: reprise list"
        : Printable.line(`Let ${owner} run any other command: reprise list`)
    }
  }
  return { name, status: "ok", found: Printable.line(`Version ${version}${whose}.`) }
}

const clock = ({ clockAhead, roundTrip }: Inspection): Check => {
  const name = "clock"
  const difference = Math.abs(clockAhead)
  if (difference <= 2000 + roundTrip / 2) {
    return { name, status: "ok", found: `It and this machine's agree (${difference} ms).` }
  }
  return {
    name,
    status: "warning",
    found: `The database's is ${Words.span(difference)} ${clockAhead > 0 ? "ahead of" : "behind"} this machine's.`,
    next: "Set both by a time server. Who holds a session follows the database's clock alone; times in it do not"
  }
}

const holders = ({ held, stale }: Contents): Check => {
  const name = "holders"
  const running = `${number(held)} held`
  return stale.count === 0
    ? { name, status: "ok", found: `${running}, none by somebody who has gone.` }
    : {
      name,
      status: "warning",
      found: `${running}, and ${number(stale)} by somebody who no longer says that it lives.`,
      next: "They can be resumed by anybody: reprise list --all"
    }
}

const orphans = ({ orphans }: Contents): Check => {
  const name = "orphans"
  return Option.match(orphans, {
    onNone: () => ({ name, status: "ok", found: "Not looked for: there are too many large parts." }),
    onSome: (found) =>
      found.count === 0
        ? { name, status: "ok", found: "none" }
        : {
          name,
          status: "warning",
          found: `${number(found)} large parts are of sessions that are not there.`,
          next:
            "DELETE FROM reprise_blobs WHERE NOT EXISTS (SELECT 1 FROM reprise_sessions WHERE id = session_id), when nothing is being copied"
        }
  })
}

const inside = (contents: Contents): ReadonlyArray<Check> => [
  {
    name: "sessions",
    status: "ok",
    found: `${number(contents.sessions)} stored, ${number(contents.removed)} in the trash.`
  },
  holders(contents),
  orphans(contents)
]

const inspect = (place: Place.Database) =>
  Effect.gen(function*() {
    const { client, inspect } = yield* Effect.promise(() => import("./Database.ts"))
    return yield* Effect.provide(inspect, yield* client(place))
  })

const isMissing = Effect.fnUntraced(function*(place: Place.Database) {
  if (place._tag === "Postgres") return false
  const fs = yield* FileSystem.FileSystem
  return !(yield* Effect.orElseSucceed(fs.exists(place.file), () => false))
})

/**
 * Looks at a database, and changes nothing.
 *
 * @category checks
 * @since 0.1.0
 */
export const look = Effect.fnUntraced(function*(place: Place.Database) {
  const nothing = (check: Check): Look => ({ checks: [check], isUsable: false, sessions: 0 })
  if (yield* isMissing(place)) {
    return nothing({
      name: "database",
      status: "ok",
      found: `${Place.shown(place)} (is created with the first session)`
    })
  }
  const looked = yield* Effect.result(Effect.timeoutOption(inspect(place), patience))
  if (Result.isFailure(looked)) {
    const { next, why } = Explain.explain(looked.failure)
    return nothing({ name: "database", status: "failed", found: why, next })
  }
  if (Option.isNone(looked.success)) {
    return nothing({
      name: "database",
      status: "failed",
      found: `${Place.shown(place)} did not answer in ${Words.span(Duration.toMillis(patience))}.`,
      next: "See what it is busy with"
    })
  }
  const inspection = looked.success.value
  const { contents, tables } = inspection
  const found: Look = {
    checks: [
      database(place, inspection),
      Option.match(tables, {
        onNone: () => noTables(inspection),
        onSome: (tables) => ofTables(tables, inspection)
      }),
      clock(inspection),
      ...Option.match(contents, { onNone: () => [], onSome: inside })
    ],
    isUsable: Option.isSome(contents),
    sessions: Option.match(contents, { onNone: () => 0, onSome: ({ sessions }) => sessions.count })
  }
  return found
})

/** Sessions that are read as a whole. */
const sampled = 20

/**
 * Verifies the newest sessions, where there is a key ring to.
 *
 * @category checks
 * @since 0.1.0
 */
export const sample = Effect.fnUntraced(function*(place: Place.Database, key: Check) {
  const name = "verified"
  const { sessions } = yield* Backend.Backend
  if (key.status === "failed" || key.found.endsWith("(is created with the first session)")) {
    const check: Check = { name, status: "ok", found: "None: there is no key ring to verify with." }
    return check
  }
  const verified = Effect.gen(function*() {
    const newest = (yield* Stream.runCollect(List.list({ limit: sampled }))).filter(SessionList.isStored)
    const outcomes = yield* Effect.forEach(newest, ({ id }) => Effect.result(Load.verify(id)))
    const broken = outcomes.flatMap((outcome) =>
      Result.isFailure(outcome) && outcome.failure._tag !== "NotFound" ? [outcome.failure] : []
    )
    return { looked: newest.length, broken }
  }).pipe(Effect.provide(sessions(place, { isUntouched: true })))
  return yield* Effect.match(verified, {
    onFailure: (error): Check => {
      const { next, why } = Explain.explain(error)
      return { name, status: "failed", found: why, next }
    },
    onSuccess: ({ broken, looked }): Check => {
      const [first] = broken
      if (first === undefined) {
        return { name, status: "ok", found: `The newest ${Words.count(looked, "session")} are intact.` }
      }
      const { what, why } = Explain.explain(first)
      return {
        name,
        status: "failed",
        found: `${broken.length} of the newest ${Words.count(looked, "session")} can't be believed. ${what} ${why}`,
        next: "See which: reprise verify"
      }
    }
  })
})
