/**
 * Sessions in a database, as commands work with them. What speaks to PostgreSQL is a
 * package of its own, which is loaded from where this program is installed.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"
import type { StoreError } from "../core/SessionError.ts"
import * as NodeSessions from "../node/NodeSessions.ts"
import * as NodeSqlite from "../node/NodeSqlite.ts"
import * as SessionLimits from "../services/SessionLimits.ts"
import * as SqlSessionStore from "../sql/SqlSessionStore.ts"
import type { Protection } from "./Backend.ts"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Listing from "./Listing.ts"
import * as Output from "./Output.ts"
import type * as Place from "./Place.ts"
import * as Printable from "./Printable.ts"

/** How long a server may take to answer at first, unless the address says less. */
const patience = Duration.seconds(10)

const unusable = (why: string) =>
  new Failure({
    kind: "NotInstalled",
    exitCode: ExitCode.failed,
    what: "PostgreSQL can't be spoken to.",
    why,
    next: "Install it beside effect-reprise: npm install @effect/sql-pg (with --global, if reprise is)"
  })

const isMissing = (cause: unknown): boolean =>
  Predicate.hasProperty(cause, "code") && cause.code === "ERR_MODULE_NOT_FOUND"

const load = Effect.tryPromise({
  try: () => import("@effect/sql-pg/PgClient"),
  catch: (cause) =>
    unusable(
      isMissing(cause)
        ? "The package @effect/sql-pg is not installed."
        : `The package @effect/sql-pg does not fit: ${Printable.line(cause instanceof Error ? cause.message : "")}`
    )
})

const connectTimeout = (url: URL): Duration.Duration => {
  const seconds = Number(url.searchParams.get("connect_timeout") ?? "")
  return seconds > 0 ? Duration.min(Duration.seconds(seconds), patience) : patience
}

/** A client of PostgreSQL. A password that the address does not have is taken from `PGPASSWORD`. */
const layerPostgres = ({ hasPassword, url }: Extract<Place.Database, { readonly _tag: "Postgres" }>) =>
  Effect.gen(function*() {
    const { layer } = yield* load
    const password = hasPassword ? "" : yield* Output.environment("PGPASSWORD")
    return layer({
      url,
      applicationName: "reprise",
      connectTimeout: connectTimeout(new URL(Redacted.value(url))),
      idleTimeout: Duration.minutes(1),
      maxConnections: 5,
      ...(password === "" ? {} : { password: Redacted.make(password) })
    })
  })

/**
 * A client of a database.
 *
 * @category clients
 * @since 0.1.0
 */
export const client = (
  place: Place.Database
): Effect.Effect<Layer.Layer<SqlClient, StoreError>, Failure> =>
  Effect.map(
    place._tag === "Sqlite" ? Effect.succeed(NodeSqlite.layer({ filename: place.file })) : layerPostgres(place),
    SqlSessionStore.layerClient
  )

export { inspect } from "../sql/SqlSessionStore.ts"

/** A database holds as many sessions as there are. */
const layerLimits = Layer.effect(
  SessionLimits.SessionLimits,
  Effect.map(SessionLimits.SessionLimits, (limits) => ({ ...limits, maxStored: Infinity }))
)

/** The tables are made, or brought up to date, where they are not: who may not make any can use them. */
const store = Effect.fnUntraced(function*(place: Place.Database, isUntouched?: true) {
  const opened = Layer.succeedContext(yield* Layer.build(yield* client(place)))
  const { needed, tables } = yield* Effect.provide(SqlSessionStore.inspectTables, opened)
  const isDone = isUntouched === true ||
    Option.exists(Option.flatMap(tables, ({ version }) => version), (version) => version >= needed)
  return Layer.provide(SqlSessionStore.layer({ migrate: !isDone }), opened)
})

/**
 * Everything that sessions need, with keys beside the place's directory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSessions = (
  place: Place.Database,
  { isUntouched, ...protection }: Protection
): Layer.Layer<NodeSessions.Services, StoreError | Failure> =>
  Layer.unwrap(
    Effect.map(store(place, isUntouched), (store) =>
      NodeSessions.layer({ ...protection, directory: place.directory, smallCalls: "synchronous", store }))
  ).pipe(
    Layer.provide(layerLimits)
  )

/**
 * What looking at the list needs. Opens no key ring, so nothing is created.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerListing = (place: Place.Database) =>
  Layer.unwrap(Effect.map(store(place), (store) => Listing.layer({ directory: place.directory, store }))).pipe(
    Layer.provide(layerLimits)
  )
