/**
 * Runners and clients of a cluster on one PostgreSQL, quick to notice what happens
 * to each other. Nothing here is of the tests' own process: programs are made of
 * it too.
 */
import { NodeClusterSocket } from "@effect/platform-node"
import { type Effect, Layer, Option } from "effect"
import { RunnerAddress, type ShardingConfig } from "effect/cluster"
import { ClusterSessions } from "../../src/cluster/index.ts"
import { Agent, ProjectDirectory, type RunningSession, SessionLimits } from "../../src/index.ts"
import { NodeSessions } from "../../src/node/index.ts"
import { SqlSessionStore } from "../../src/sql/index.ts"
import * as TestSessions from "../../src/testing/TestSessions.ts"
import * as Postgres from "../suites/postgres.ts"

/** How long a session stays with a runner that is no more. */
export const leaseFor = "2 seconds"

/** Numbers for a cluster in which a second is long. */
const sharding: Partial<ShardingConfig.ShardingConfig["Service"]> = {
  shardsPerGroup: 12,
  shardLockRefreshInterval: "500 millis",
  shardLockExpiration: "2 seconds",
  refreshAssignmentsInterval: "200 millis",
  runnerHealthCheckInterval: "500 millis",
  entityMessagePollInterval: "500 millis",
  entityTerminationTimeout: "5 seconds"
}

/** What is stored, for whoever looks at it without a cluster. */
export const layerStore = (database: Postgres.Database) =>
  Layer.merge(SqlSessionStore.layer({ leaseFor }), TestSessions.layerSigner).pipe(
    Layer.provide(Layer.merge(Postgres.layerClient(database, { maxConnections: 2 }), NodeSessions.layerPlatform))
  )

/** The operations, on a node that runs no sessions. */
export const layerClient = (database: Postgres.Database, options: ClusterSessions.Options = {}) =>
  ClusterSessions.layer(options).pipe(
    Layer.provide(NodeClusterSocket.layer({ clientOnly: true, shardingConfig: sharding })),
    Layer.provide(Postgres.layerClient(database, { maxConnections: 2 })),
    Layer.provideMerge(NodeSessions.layerPlatform)
  )

export interface RunnerOptions extends ClusterSessions.RunnerOptions {
  readonly database: Postgres.Database
  readonly port: number
  readonly agent?: (session: RunningSession) => Effect.Effect<void, unknown>
  readonly limits?: Partial<SessionLimits.Limits>
}

/** A runner that listens on a port of this machine. */
export const layerRunner = ({ agent, database, limits, port, ...options }: RunnerOptions) =>
  ClusterSessions.layerRunner(options).pipe(
    Layer.provide(agent === undefined ? Layer.empty : Agent.layer(agent)),
    Layer.provide(
      Layer.mergeAll(SqlSessionStore.layer({ leaseFor }), TestSessions.layerSigner, ProjectDirectory.layerNone)
    ),
    Layer.provideMerge(NodeClusterSocket.layer({
      shardingConfig: { ...sharding, runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)) }
    })),
    Layer.provide(
      Layer.succeed(SessionLimits.SessionLimits, {
        ...SessionLimits.defaults,
        maxStored: Infinity,
        maxRunning: 1000,
        ...limits
      })
    ),
    Layer.provideMerge(Layer.merge(Postgres.layerClient(database, { maxConnections: 8 }), NodeSessions.layerPlatform))
  )
