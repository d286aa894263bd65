/**
 * What is asked of an import of histories, and what comes of it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { HistoryKind } from "../core/history/History.ts"
import type * as Tally from "../core/history/Tally.ts"
import type { Usage } from "../core/Session.ts"
import type { CreateFailed, InvalidJson, StoreError } from "../core/SessionError.ts"
import type * as SessionId from "../core/SessionId.ts"
import type { Timestamp } from "../core/Timestamp.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ImportHistoryOptions {
  /** Whose history it is; told from what is in it by default. */
  readonly from?: HistoryKind
  /** The directory that the sessions work in from now on: an existing one, absolute. */
  readonly project?: string
  /** The directory for those that don't say where they worked; without it they are refused. */
  readonly defaultProject?: string
  /** Give them new ids, so that they can stand beside the same ones. */
  readonly copy?: boolean
  /** Bring in what sub-agents said as well, as sessions of their own. Default true. */
  readonly subagents?: boolean
  /** What to do with a history that is larger than a session may be. Default `newest`: its newest turns. */
  readonly whenTooLarge?: "newest" | "refuse"
  /** Hears of bytes that were read. `total` is what is known of all of them. */
  readonly onProgress?: (progress: HistoryProgress) => Effect.Effect<void>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface HistoryProgress {
  readonly source: string
  readonly bytes: number
  readonly total: number
}

/**
 * A session that another agent had, and what became of each record of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryReport {
  /** The file. */
  readonly source: string
  readonly from: HistoryKind
  readonly id: SessionId.SessionId
  /** The agent's own id of it. */
  readonly original: string
  /** The sub-agent whose it is. */
  readonly agent: string | undefined
  /** The session that it comes from, as it is or would be stored here. */
  readonly parent: SessionId.SessionId | undefined
  readonly name: string
  readonly messages: number
  /** Messages that are left out because they are older than what fits. */
  readonly leftOut: number
  readonly usage: Usage
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
  readonly projectPath: string
  /** Whether the project is there now; if not, resume it with another one. */
  readonly projectExists: boolean
  readonly records: Tally.Counts
}

/**
 * What became of a file, or of one of its conversations: it is stored now; it was
 * stored before, be it in the trash (`isRemoved`); there is nothing in it; it is
 * no history of a known agent, or of a sub-agent that is not wanted; or it can't
 * be brought in.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryOutcome =
  | ({ readonly _tag: "Imported" } & HistoryReport)
  | ({ readonly _tag: "AlreadyStored"; readonly isRemoved: boolean } & HistoryReport)
  | {
    readonly _tag: "Empty"
    readonly source: string
    readonly from: HistoryKind
    readonly records: Tally.Counts
  }
  | { readonly _tag: "Ignored"; readonly source: string; readonly reason: string }
  | { readonly _tag: "Failed"; readonly source: string; readonly error: HistoryError }

/**
 * Why a history is not brought in.
 *
 * @category errors
 * @since 0.1.0
 */
export type HistoryError = InvalidJson | CreateFailed | StoreError
