/**
 * Where a rig takes place: sessions in files, or in a database. Everything that
 * must be known of that beside what the library says.
 */
import type { Effect, FileSystem, Layer, Option, Path, Scope } from "effect"
import type * as Lease from "../../src/core/Lease.ts"
import type { NodeSessions } from "../../src/node/index.ts"

/** What is stored of a session. */
export interface Standing {
  /** Its files, or its rows by their tables. */
  readonly names: ReadonlyArray<string>
  readonly epoch: number
  readonly lease: Option.Option<Lease.Lease>
  readonly snapshot: string
}

export interface Ground {
  /** What programs are told: a directory, or a database. */
  readonly root: string
  /** The services that look on from outside. */
  readonly layer: Layer.Layer<NodeSessions.Services, unknown>
  /** Waits until nothing of a process counts any more that is gone, and nothing is held by it. */
  readonly freed: (pid: number) => Effect.Effect<void>
  readonly look: (id: string) => Effect.Effect<Standing, { readonly message: string }>
  /** What is wrong with what is stored of a session that has just been closed, or acknowledged an event. */
  readonly unlike: (id: string, state: "closed" | "running") => Effect.Effect<ReadonlyArray<string>>
  /** Whatever is there that belongs to no session; of all sessions, or of any but one. */
  readonly strays: (only?: string) => Effect.Effect<ReadonlyArray<string>>
}

/** A ground of its own, which goes with the scope. */
export type Make = Effect.Effect<Ground, unknown, FileSystem.FileSystem | Path.Path | Scope.Scope>
