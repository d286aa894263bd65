/** A schema of a PostgreSQL to measure in, and the services over it. */
import { Effect, Layer, Logger } from "effect"
import { ProjectDirectory, ResumeLimit, SessionLimits, type SessionStore, Supervisor } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { TestSessions } from "effect-reprise/testing"
import type { SqlClient } from "effect/sql"
import * as Postgres from "../../suites/postgres.ts"

/** Room for as many sessions as there are, and for as many appends without a checkpoint. */
const limits: SessionLimits.Limits = {
  ...SessionLimits.defaults,
  maxBytes: 64 * 1024 * 1024,
  checkpointBytes: 1024 * 1024 * 1024,
  maxStored: Infinity,
  maxRunning: 1000
}

/** A process, with the client that its store uses. */
export interface Place {
  readonly run: <A, E>(
    effect: Effect.Effect<A, E, NodeSessions.Services | SessionStore.SessionStore | SqlClient.SqlClient>
  ) => Effect.Effect<A, E>
}

/** A process with a client. Leases are long: nothing but what is measured is written. */
export const openWith = Effect.fnUntraced(function*<E>(client: Layer.Layer<SqlClient.SqlClient, E>) {
  const context = yield* Layer.build(
    Layer.mergeAll(
      SqlSessionStore.layer({ leaseFor: "1 hour" }),
      ProjectDirectory.layerNone,
      Supervisor.layer,
      TestSessions.layerSigner,
      ResumeLimit.layerOff
    ).pipe(
      Layer.provideMerge(Layer.merge(NodeSessions.layerPlatform, client)),
      Layer.provide([Layer.succeed(SessionLimits.SessionLimits, limits), Logger.layer([])])
    )
  )
  const place: Place = { run: (effect) => Effect.provideContext(effect, context) }
  return place
})

/** A process with so many connections to a schema. */
export const open = (database: Postgres.Database, maxConnections: number) =>
  openWith(Postgres.layerClient(database, { maxConnections }))
