/**
 * Every number of the library, one place for every default.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/**
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Bytes of a snapshot and its journal together. Default 10 MiB. */
  readonly maxBytes: number
  /**
   * Bytes from which on a file or what a tool returns is stored beside the session,
   * as a blob: counted of its text, or about of its JSON. `Infinity`: never. Default 64 KiB.
   */
  readonly blobOver: number
  /** Bytes of one blob. Default 32 MiB. */
  readonly maxBlobBytes: number
  /** Bytes of all blobs of a session together. Default 1 GiB. */
  readonly maxBlobsBytes: number
  /** Levels of arrays and objects in a stored document. Default 64. */
  readonly maxDepth: number
  /** Stored sessions, those in the trash aside. Default 100. */
  readonly maxStored: number
  /** What `create` and `restore` do when that many are stored: refuse, or remove the oldest closed one. Default `refuse`. */
  readonly whenFull: "refuse" | "removeOldest"
  /** Sessions that one supervisor runs at once. Default 10. */
  readonly maxRunning: number
  /** The part of a limit from which on a warning is logged. Default 0.8. */
  readonly warnAt: number
  /** Bytes of events that wait to be written, before `append` waits. Default 1 MiB. */
  readonly maxQueuedBytes: number
  /** Bytes of a journal from which on it is checkpointed, if it is also a quarter of its snapshot. Default 1 MiB. */
  readonly checkpointBytes: number
  /** Sessions that are read at once by `list` and `cleanup`. Default 16. */
  readonly concurrency: number
  /** Attempts to resume one session within `resumeWindow`. Default 5. */
  readonly resumePerSession: number
  /** Attempts to resume any session within `resumeWindow`. Default 20. */
  readonly resumeOverall: number
  /** How long a session that is being closed waits for its agent. Default 10 seconds. */
  readonly agentGrace: Duration.Duration
  /** Default 60 seconds. */
  readonly resumeWindow: Duration.Duration
  /** Age from which on `cleanup` removes. Default 30 days. */
  readonly cleanupAge: Duration.Duration
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const defaults: Limits = {
  maxBytes: 10 * 1024 * 1024,
  blobOver: 64 * 1024,
  maxBlobBytes: 32 * 1024 * 1024,
  maxBlobsBytes: 1024 * 1024 * 1024,
  maxDepth: 64,
  maxStored: 100,
  whenFull: "refuse",
  maxRunning: 10,
  warnAt: 0.8,
  maxQueuedBytes: 1024 * 1024,
  checkpointBytes: 1024 * 1024,
  concurrency: 16,
  resumePerSession: 5,
  resumeOverall: 20,
  agentGrace: Duration.seconds(10),
  resumeWindow: Duration.seconds(60),
  cleanupAge: Duration.days(30)
}

/**
 * The limits in force.
 *
 * **Gotchas**
 *
 * Read once, when the layers are built, so that reader and writer can't disagree:
 * provide it to the layers, not to single operations.
 *
 * @category services
 * @since 0.1.0
 */
export class SessionLimits extends Context.Reference<Limits>("effect-reprise/services/SessionLimits", {
  defaultValue: () => defaults
}) {}
