/**
 * Pages of lists of so many sessions, in schemas of one server that are asked in
 * turn; and how many rows the database looked at for each.
 */
import { makeCompiler } from "@effect/sql-pg/PgClient"
import { Array as Arr, Effect, Layer, Schema, Stream } from "effect"
import { SessionList, Sessions } from "effect-reprise"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection } from "effect/sql"
import * as ManySessions from "../../suites/many-sessions.ts"
import * as Postgres from "../../suites/postgres.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import * as Place from "./place.ts"

/** Entries of a page. */
const limit = 50

/** Entries of a page of what the smallest list has no more of. */
const few = 10

/** Sessions that are more than rows. */
const real = 20

/** The most rows that the database may look at for a page: with a text that 2 % have it meets fifty for one. */
const mostLookedAt = 100 * limit

interface Level {
  readonly sessions: number
  readonly database: Postgres.Database
  readonly place: Place.Place
}

const config = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }

/** Sessions like any other, which are verified when they are loaded. */
const addReal = Effect.forEach(Arr.range(1, real), (number) =>
  Effect.gen(function*() {
    const session = yield* Sessions.create({ project: `/project/${number}`, name: `session real ${number}`, config })
    yield* session.append({ role: "user", content: `number ${number}` })
    yield* Sessions.close(session.id)
    const { state } = yield* Sessions.load(session.id)
    if (state.conversation.length !== 1) return yield* Effect.die(new Error("what was stored is not what is loaded"))
  }), { discard: true })

/** A schema of its own with so many sessions, as the server knows it after a while. */
const fill = Effect.fnUntraced(function*(
  url: string,
  sessions: number,
  tell: (text: string) => Effect.Effect<void>
) {
  const begun = performance.now()
  const database = yield* Postgres.schemaIn(url)
  const place = yield* Place.open(database, 4)
  const step = 100_000
  yield* place.run(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rest = sessions - real
    for (let from = 0; from < rest; from += step) yield* ManySessions.add(from, Math.min(rest, from + step))
    yield* addReal
    yield* sql`VACUUM ANALYZE`
  }))
  yield* tell(`${sessions.toLocaleString("en")} sessions in ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  const level: Level = { sessions, database, place }
  return level
})

/** What is asked for, by what it is called. */
const questions = (after: SessionList.Cursor): Readonly<Record<string, SessionList.Filter>> => ({
  "first page": {},
  "page after": { after },
  "of a project": { project: "/project/9", limit: few },
  "closed ones": { status: ["closed"] },
  "interrupted ones": { status: ["interrupted"], limit: few },
  "removed ones": { status: ["removed"], limit: few },
  "text that all have": { text: "session" },
  "text that 2 % have": { text: "fifty", limit: few },
  "text that one has": { text: ManySessions.rareName },
  "text that none has": { text: "nothing like that" }
})

/** The cursor of a session in the middle of the list. */
const middle = Effect.fnUntraced(function*({ place, sessions }: Level) {
  const text = `session ${2 * Math.floor(sessions / 4) + 1}`
  const found = yield* place.run(Stream.runCollect(Sessions.list({ text })))
  return found.find((entry) => "name" in entry && entry.name === text) ?? (yield* Effect.die(new Error(`no ${text}`)))
})

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Rows Removed by Filter"?: number
  readonly "Rows Removed by Join Filter"?: number
  readonly "Rows Removed by Index Recheck"?: number
  readonly Plans?: ReadonlyArray<Node>
}

const optional = Schema.optionalKey(Schema.Finite)
const Node: Schema.Codec<Node> = Schema.Struct({
  "Node Type": Schema.String,
  "Relation Name": Schema.optionalKey(Schema.String),
  "Actual Rows": Schema.Finite,
  "Actual Loops": Schema.Finite,
  "Rows Removed by Filter": optional,
  "Rows Removed by Join Filter": optional,
  "Rows Removed by Index Recheck": optional,
  Plans: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<Node> => Node)))
})
const decodePlan = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ Plan: Node })))

/** Rows that a node and what is below it came by, wanted or not. */
const rowsIn = (node: Node): number =>
  node["Actual Loops"] * (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) +
      (node["Rows Removed by Join Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)) +
  (node.Plans ?? []).reduce((sum, plan) => sum + rowsIn(plan), 0)

const scansIn = (node: Node): ReadonlyArray<string> => [
  ...(node["Node Type"] === "Seq Scan" ? [node["Relation Name"] ?? "a table"] : []),
  ...(node.Plans ?? []).flatMap(scansIn)
]

interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<unknown>
}

/** A client that writes down what it is asked. */
const layerListening = (database: Postgres.Database, heard: Array<Statement>) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.flatMap(SqlClient.SqlClient, (client) => {
      const hear = (connection: SqlConnection.Connection): SqlConnection.Connection => ({
        execute: (sql, params, transform) => {
          heard.push({ sql, params })
          return connection.execute(sql, params, transform)
        },
        executeUnprepared: (sql, params, transform) => {
          heard.push({ sql, params })
          return connection.executeUnprepared(sql, params, transform)
        },
        executeRaw: (sql, params) => connection.executeRaw(sql, params),
        executeStream: (sql, params, transform) => connection.executeStream(sql, params, transform),
        executeValues: (sql, params) => connection.executeValues(sql, params),
        executeValuesUnprepared: (sql, params) => connection.executeValuesUnprepared(sql, params)
      })
      return SqlClient.make({
        acquirer: Effect.map(client.reserve, hear),
        compiler: makeCompiler(),
        driver: client.driver,
        spanAttributes: []
      })
    })
  ).pipe(Layer.provide([Postgres.layerClient(database), Reactivity.layer]))

/** What the database did for a page: the rows that it came by, and the tables that it read from end to end. */
const lookedAt = Effect.fnUntraced(function*({ database, place }: Level, filter: SessionList.Filter) {
  const heard: Array<Statement> = []
  const listening = yield* Place.openWith(layerListening(database, heard))
  heard.length = 0
  yield* listening.run(Stream.runDrain(Sessions.list({ limit, ...filter })))
  const plans = yield* Effect.forEach(heard, ({ params, sql }) =>
    place.run(Effect.gen(function*() {
      const client = yield* SqlClient.SqlClient
      const [row] = yield* client.unsafe<{ readonly "QUERY PLAN": unknown }>(
        `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`,
        params
      )
      return yield* decodePlan(row?.["QUERY PLAN"])
    })))
  const nodes = plans.flat().map(({ Plan }) => Plan)
  return { rows: nodes.reduce((sum, node) => sum + rowsIn(node), 0), scans: nodes.flatMap(scansIn) }
}, Effect.scoped)

const nameOf = (sessions: number): string => `${sessions.toLocaleString("en")} sessions`

/** Rows for the time of each page, as it grows, and for what the database looked at in the largest. */
export const pages = Effect.fnUntraced(function*(options: {
  readonly url: string
  readonly sessions: ReadonlyArray<number>
  readonly rounds: Rounds.Options
  readonly tell: (text: string) => Effect.Effect<void>
}) {
  const sizes = options.sessions.toSorted((self, that) => self - that)
  const levels = yield* Effect.forEach(sizes, (sessions) =>
    Effect.gen(function*() {
      const level = yield* fill(options.url, sessions, options.tell)
      return { ...level, questions: questions(SessionList.cursorOf(yield* middle(level))) }
    }))
  const [smallest] = levels
  if (smallest === undefined) return []
  return yield* Effect.forEach(Object.keys(smallest.questions), (name) =>
    Effect.gen(function*() {
      const subjects = levels.map(({ place, questions }) =>
        Rounds.whole(place.run(Stream.runDrain(Sessions.list({ limit, ...questions[name] }))))
      )
      const laps = yield* Rounds.alternate(subjects, options.rounds)
      const [base = []] = laps
      const times = levels.map(({ sessions }, index): Rows.Row => {
        const taken = laps[index] ?? []
        const title = { operation: `list, ${name}`, of: nameOf(sessions), variant: "PostgreSQL" }
        return index === 0
          ? { ...title, unit: "ms", value: Rows.spread(taken.map(({ wall }) => wall)) }
          : Rows.compare({ ...title, must: 1.5 }, { unit: "x" }, taken, base)
      })
      const looks = yield* Effect.forEach(levels.slice(1), (level) =>
        Effect.map(lookedAt(level, level.questions[name] ?? {}), ({ rows, scans }): Rows.Row => ({
          operation: `list, ${name}, looked at`,
          of: nameOf(level.sessions),
          variant: scans.length === 0 ? "PostgreSQL" : `all of ${[...new Set(scans)].join()}`,
          unit: "rows",
          value: Rows.spread([scans.length === 0 ? rows : level.sessions]),
          must: mostLookedAt
        })))
      return [...times, ...looks]
    })).pipe(Effect.map(Arr.flatten))
})
