/**
 * All services over a database, signed with the test key, in projects that need not
 * exist: on each database that sessions are stored in.
 */
import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, Layer, type Scope } from "effect"
import {
  type Liveness,
  type Migration,
  ProjectDirectory,
  ResumeLimit,
  SessionFormat,
  SessionLimits,
  Supervisor
} from "effect-reprise"
import { NodeHmac, NodeSqlite } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { TestLiveness, TestSessions } from "effect-reprise/testing"
import { Kdf } from "effect/crypto"
import type { SqlClient, SqlError } from "effect/sql"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePaths from "node:path"
import * as Shared from "./postgres-shared.ts"
import * as Postgres from "./postgres.ts"

/** A client of one place: as often as it is built, it sees the same tables. */
export type Client = Layer.Layer<SqlClient.SqlClient, SqlError.SqlError>

/** A kind of database: a place of its own in each scope. */
export interface Kind {
  readonly name: string
  readonly place: Effect.Effect<Client, unknown, Scope.Scope>
}

/** A file that goes with the scope. */
export const file = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.mkdtempSync(NodePaths.join(NodeOs.tmpdir(), "reprise-sqlite-"))),
    (directory) => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true, force: true }))
  ),
  (directory) => NodeSqlite.layer({ filename: NodePaths.join(directory, "sessions.sqlite") })
)

const sqlite: Kind = { name: "SQLite", place: file }

const postgres: Kind = {
  name: "PostgreSQL",
  place: Effect.map(Shared.database, (place): Client => Postgres.layerClient(place))
}

export const kinds: ReadonlyArray<Kind> = [sqlite, postgres]

export interface Options extends SqlSessionStore.Options {
  readonly client: Client
  /** Which process this is; by default one of a machine of its own. */
  readonly liveness?: Layer.Layer<Liveness.Liveness>
  readonly limits?: Partial<SessionLimits.Limits>
  readonly format?: Migration.Format
  readonly agent?: Layer.Layer<never>
}

/** Everything that sessions need, and the client beside it. */
export const layer = (options: Options) => {
  const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...options.limits })
  const format = options.format === undefined
    ? Layer.empty
    : Layer.succeed(SessionFormat.SessionFormat, options.format)
  const platform = Layer.mergeAll(
    NodeFileSystem.layer,
    NodePath.layer,
    NodeCrypto.layerSecureRandom,
    NodeHmac.layer,
    Kdf.layerWebCrypto,
    options.client,
    options.liveness ?? TestLiveness.machine().process().layer
  )
  return Layer.mergeAll(
    SqlSessionStore.layer(options),
    ProjectDirectory.layerNone,
    Supervisor.layer,
    TestSessions.layerSigner,
    ResumeLimit.layerOff
  ).pipe(Layer.provideMerge(platform), Layer.provide([limits, format, options.agent ?? Layer.empty]))
}

export type Services = Layer.Success<ReturnType<typeof layer>>

/** Runs operations as one process that ends with them. */
export const run = <A, E>(program: Effect.Effect<A, E, Services>, options: Options) =>
  Effect.provide(program, layer(options), { local: true })
