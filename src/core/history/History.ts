/**
 * What the history of an agent says, record by record, in words that all agents
 * share. A reader of one agent's records is a pure function from a record to a
 * `Reading`; what the readings come to is folded in `Transcript`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { JsonObject } from "../Json.ts"
import type { Part, Todo, Usage } from "../Session.ts"
import type { Timestamp } from "../Timestamp.ts"

/**
 * Agents whose histories can be brought in.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HistoryKind = Schema.Literals(["claude-code", "codex", "pi", "gemini", "opencode"])

/**
 * @category models
 * @since 0.1.0
 */
export type HistoryKind = typeof HistoryKind.Type

/**
 * A piece of the conversation, as one record tells it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Said {
  /** The agent's own id for it. */
  readonly id?: string
  readonly role: "user" | "assistant" | "tool"
  readonly parts: ReadonlyArray<Part>
  readonly at?: Timestamp
  /** Pieces of one group are one message, whatever stands between them. */
  readonly group?: string
  /** It goes on with the message before it, if that is the assistant's and nothing was answered since. */
  readonly joins?: boolean
  /** Of the whole group, where there is one. */
  readonly usage?: Usage
  /** What has no place in a message. */
  readonly metadata?: JsonObject
}

/**
 * What a record tells about the session as a whole. Later ones count.
 *
 * @category models
 * @since 0.1.0
 */
export interface Facts {
  /** The agent's own id of the session. */
  readonly id?: string
  /** The agent's own id of the session that this one comes from: of whoever started it, or of its original. */
  readonly parent?: string
  /** The directory it worked in. */
  readonly cwd?: string
  readonly provider?: string
  readonly model?: string
  /** What a person, or the agent, called it. A higher `weight` wins. */
  readonly title?: { readonly text: string; readonly weight: number }
  readonly createdAt?: Timestamp
  /** Another session started it. */
  readonly isSubagent?: boolean
  readonly todos?: ReadonlyArray<Todo>
  /** Whatever else there is to know: versions, branches, settings. */
  readonly metadata?: JsonObject
}

/**
 * What happens to what was said before.
 *
 * @category models
 * @since 0.1.0
 */
export type Revision =
  /** From the record with this id on nothing counts any more. */
  | { readonly _tag: "Rewound"; readonly to: string; readonly whenMissing: "all" | "nothing" }
  /** Nothing that was said before counts any more. */
  | { readonly _tag: "Restarted" }
  /** The last so many turns don't count any more. */
  | { readonly _tag: "RolledBack"; readonly turns: number }

/**
 * What becomes of a record: its content is in the session, or it is kept under
 * the session's metadata, or it is left out.
 */
type Outcome =
  | { readonly _tag: "Mapped" }
  | { readonly _tag: "Kept"; readonly reason: string; readonly record: JsonObject }
  | { readonly _tag: "Skipped"; readonly reason: string }

/**
 * What one record says.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  readonly outcome: Outcome
  /** What other records name it by, and the one that it follows: `null` where it begins anew. */
  readonly node?: { readonly id: string; readonly parent?: string | null }
  /** It belongs to the conversation of a sub-agent, named where that is known. */
  readonly aside?: { readonly agent?: string }
  readonly said?: ReadonlyArray<Said>
  readonly facts?: Facts
  readonly revision?: Revision
  /** All that was used so far; what is new of it is the last answer's. */
  readonly usedSoFar?: Usage
  /** It tells again what other records tell: it counts only where those are missing. */
  readonly isEcho?: boolean
  /** How many records of the agent it is about; one by default. */
  readonly records?: number
  /** What of it was left out or mended. */
  readonly changes?: ReadonlyArray<string>
}

/**
 * How records hang together: as a `tree`, of which the branch that ends with the
 * last one is the conversation; as a `looseTree`, where notices and results of
 * tools may hang beside that branch; `keyed`, where a later record replaces an
 * earlier one with its id; or as a plain `list`.
 *
 * @category models
 * @since 0.1.0
 */
export type Shape = "tree" | "looseTree" | "keyed" | "list"

/**
 * Says of one agent's records what they mean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reader {
  readonly kind: HistoryKind
  readonly shape: Shape
  /** Who runs the model, where no record says so. */
  readonly provider: string
  readonly read: (record: JsonObject) => ReadonlyArray<Reading>
}

const mapped: Outcome = { _tag: "Mapped" }

/**
 * A record whose content is in the session.
 *
 * @category constructors
 * @since 0.1.0
 */
export const map = (rest: Omit<Reading, "outcome">): Reading => ({ outcome: mapped, ...rest })

/**
 * A record that is kept as it is under the session's metadata.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keep = (record: JsonObject, reason: string, rest: Omit<Reading, "outcome"> = {}): Reading => ({
  outcome: { _tag: "Kept", reason, record },
  ...rest
})

/**
 * A record that is left out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const skip = (reason: string, rest: Omit<Reading, "outcome"> = {}): Reading => ({
  outcome: { _tag: "Skipped", reason },
  ...rest
})
