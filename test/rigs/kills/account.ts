/**
 * What happened to one store, as the processes tell it that use it: what each
 * is about to do, what came of it, and what it saw. Times are microseconds on
 * the machine's monotonic clock, so lines of different processes can be compared.
 */
import * as Schema from "effect/Schema"

const Mark = Schema.Int
const Time = Schema.Finite
const Id = Schema.String

/** What a process does to the store. */
const Deed = Schema.TaggedUnion({
  Create: {},
  Resume: { id: Id },
  /** Events of a running session, all at once. */
  Change: {
    id: Id,
    events: Schema.Array(Schema.Struct({ kind: Schema.Literals(["message", "prompt", "todos", "name"]), mark: Mark }))
  },
  /** A new name for a session that nobody runs. */
  Rename: { id: Id, mark: Mark },
  Checkpoint: { id: Id },
  Close: { id: Id },
  Remove: { id: Id },
  Restore: { id: Id },
  Purge: { id: Id },
  /** As it will be in so many days. */
  Cleanup: { days: Schema.Int }
})

export type Deed = typeof Deed.Type

const Sight = Schema.Struct({
  message: Schema.Array(Mark),
  prompt: Schema.Array(Mark),
  todos: Mark,
  name: Mark
})

const Outcome = Schema.TaggedUnion({
  Done: {
    /** What was created. */
    id: Schema.optionalKey(Id),
    /** What a resume found. */
    sight: Schema.optionalKey(Sight),
    /** What a cleanup did. */
    removed: Schema.optionalKey(Schema.Array(Id)),
    purged: Schema.optionalKey(Schema.Array(Id))
  },
  /** Somebody else runs the session: the process that the error names. */
  Refused: { pid: Schema.optionalKey(Schema.Int) },
  /** There is no such session outside the trash. */
  Absent: {},
  Failed: { error: Schema.String }
})

export type Outcome = typeof Outcome.Type

const Line = Schema.TaggedUnion({
  /** It runs, and has done nothing yet. */
  Up: { at: Time },
  Begun: { at: Time, number: Schema.Int, deed: Deed },
  Acknowledged: { at: Time, mark: Mark },
  Ended: { at: Time, number: Schema.Int, outcome: Outcome },
  Listed: {
    from: Time,
    at: Time,
    entries: Schema.Array(Schema.Struct({ id: Id, isRemoved: Schema.Boolean })),
    broken: Schema.Array(Schema.String)
  },
  /** What a load found; no sight where there is no such session. */
  Loaded: { from: Time, at: Time, id: Id, sight: Schema.optionalKey(Sight) },
  LoadFailed: { at: Time, id: Id, error: Schema.String },
  /** It does nothing any more until it is told to. */
  Paused: { at: Time }
})

export type Line = typeof Line.Type

export const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Line))

/** A process that used the store. */
export interface Actor {
  readonly name: string
  readonly pid: number
  readonly lines: Array<Line>
  /** When it was sent its last signal, and when it was surely gone. */
  killedAt: number
  goneAt: number
}

export const actor = (name: string, pid: number): Actor => ({
  name,
  pid,
  lines: [],
  killedAt: Infinity,
  goneAt: Infinity
})

export const now = (): number => Number(process.hrtime.bigint() / 1000n)
