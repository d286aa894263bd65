/** The layers that are measured: each of them with a name. */
import { Layer, Logger } from "effect"
import { type SessionError, SessionLimits } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"

export interface Variant {
  readonly name: "FileSystem" | "synchronous"
  readonly layer: (directory: string) => Layer.Layer<NodeSessions.Services, SessionError.StoreError>
}

/**
 * Room for 10 MB with a journal, for ten thousand sessions, and to resume without
 * end. Journals are checkpointed only when that is what is measured.
 */
const limits: SessionLimits.Limits = {
  ...SessionLimits.defaults,
  maxBytes: 32 * 1024 * 1024,
  checkpointBytes: 1024 * 1024 * 1024,
  maxStored: 1_000_000,
  maxRunning: 1000,
  resumePerSession: 1_000_000,
  resumeOverall: 1_000_000
}

/** What an application would provide beside: limits of its own, and nothing that logs. */
const surroundings = Layer.merge(Layer.succeed(SessionLimits.SessionLimits, limits), Logger.layer([]))

export const all: readonly [Variant, ...ReadonlyArray<Variant>] = [
  {
    name: "FileSystem",
    layer: (directory) => Layer.provide(NodeSessions.layer({ directory }), surroundings)
  },
  {
    name: "synchronous",
    layer: (directory) => Layer.provide(NodeSessions.layer({ directory, smallCalls: "synchronous" }), surroundings)
  }
]
