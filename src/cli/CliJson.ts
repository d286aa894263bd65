/**
 * What `--json` prints, one schema for each document. Members are only ever
 * added: a program that reads these goes on reading them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { HistoryKind } from "../core/history/History.ts"
import { Parent, Role, SessionState, Usage } from "../core/Session.ts"
import { SessionId } from "../core/SessionId.ts"
import { Timestamp } from "../core/Timestamp.ts"
import { ErrorReport } from "./json/ErrorReport.ts"

export { Doctor } from "./json/Doctor.ts"
export { ErrorReport } from "./json/ErrorReport.ts"
export { Copied, CopySummary, StoreCopy } from "./json/StoreCopy.ts"

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * A process that holds a session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Holder = Schema.Struct({ host: Schema.String, pid: Schema.Int })

/**
 * A session in a list. `bytes` is the size of snapshot and journal; counts are
 * those of the last snapshot.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ListedSession = Schema.Struct({
  id: SessionId,
  name: Schema.String,
  state: Schema.Literals(["closed", "running", "interrupted", "elsewhere", "removed"]),
  project: Schema.String,
  messages: count,
  todosDone: count,
  todosTotal: count,
  bytes: count,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  closedAt: Schema.optionalKey(Timestamp),
  removedAt: Schema.optionalKey(Timestamp),
  holder: Schema.optionalKey(Holder),
  /** The session that it was forked from. */
  parent: Schema.optionalKey(Parent)
})

/**
 * A place in a conversation where what was searched for stands: a line of `search
 * --ndjson`. `number` is the message's in `reprise show`; `before`, `match` and
 * `after` are a piece of what was said.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Match = Schema.Struct({
  id: SessionId,
  name: Schema.String,
  state: ListedSession.fields.state,
  project: Schema.String,
  updatedAt: Timestamp,
  number: count,
  messageId: Schema.String,
  role: Role,
  timestamp: Timestamp,
  place: Schema.Literals(["text", "reasoning", "tool-call", "tool-result"]),
  tool: Schema.optionalKey(Schema.String),
  before: Schema.String,
  match: Schema.String,
  after: Schema.String
})

/**
 * Something in the sessions directory that can't be read: a `broken` session,
 * or a `foreign` file of another format. `why` and `next` are for people.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Unreadable = Schema.Struct({
  /** `null` for a file of another format. */
  id: Schema.NullOr(SessionId),
  /** The name of its directory or file. */
  name: Schema.String,
  state: Schema.Literals(["broken", "foreign"]),
  removedAt: Schema.optionalKey(Timestamp),
  /** The tags of the error: `InvalidJson/BadSignature`. */
  error: Schema.String,
  why: Schema.String,
  next: Schema.String
})

/**
 * One entry of a list, told apart by `state`: a line of `list --ndjson`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.Union([ListedSession, Unreadable])

/**
 * `reprise list --json`. `project` is `null` with `--all`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const List = Schema.Struct({
  directory: Schema.String,
  /** Where sessions are instead, without a password. */
  store: Schema.optionalKey(Schema.String),
  project: Schema.NullOr(Schema.String),
  sessions: Schema.Array(Entry)
})

/**
 * `reprise show --json`. `torn` counts bytes of a write that was cut short and
 * left out. With `--tail` the conversation holds its end only.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Show = Schema.Struct({
  state: Schema.Literals(["closed", "running", "interrupted", "elsewhere", "removed"]),
  bytes: count,
  torn: count,
  closedAt: Schema.optionalKey(Timestamp),
  holder: Schema.optionalKey(Holder),
  session: SessionState
})

/**
 * One session that something was done with: `new`, `rename` and `restore` print
 * one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Named = Schema.Struct({ id: SessionId, name: Schema.String, project: Schema.optionalKey(Schema.String) })

/**
 * `reprise fork --json`. `messages` are those that it took, `beyond` of them more
 * than asked for: the results of tool calls.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fork = Schema.Struct({
  id: SessionId,
  name: Schema.String,
  project: Schema.String,
  parent: Parent,
  messages: count,
  beyond: count,
  leftOut: count,
  todosLeftOut: count,
  openCalls: count
})

/**
 * `reprise search --json`. `project` is `null` with `--all`; `isCut` where there are
 * more matches than the limit. What could not be searched is in `failed`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Search = Schema.Struct({
  project: Schema.NullOr(Schema.String),
  matches: Schema.Array(Match),
  isCut: Schema.Boolean,
  failed: Schema.Array(ErrorReport)
})

/**
 * `reprise delete --json` and `reprise clear --json`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Removal = Schema.Struct({
  removed: Schema.Array(Named),
  skipped: Schema.Array(Schema.Struct({ ...Named.fields, reason: Schema.String })),
  failed: Schema.Array(ErrorReport)
})

/**
 * `reprise cleanup --json`. With `--dry-run` what would be done.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cleanup = Schema.Struct({
  dryRun: Schema.Boolean,
  removed: Schema.Array(Named),
  purged: Schema.Array(Schema.Struct({ id: SessionId, name: Schema.String })),
  skipped: Schema.Array(Schema.Struct({
    id: Schema.NullOr(SessionId),
    name: Schema.String,
    reason: Schema.Literals(["recent", "running", "interrupted", "elsewhere", "unreadable"])
  })),
  failed: Schema.Array(ErrorReport)
})

/**
 * One session that was verified: a line of `verify --ndjson`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Verified = Schema.Struct({
  id: SessionId,
  name: Schema.String,
  isIntact: Schema.Boolean,
  bytes: Schema.optionalKey(count),
  torn: Schema.optionalKey(count),
  error: Schema.optionalKey(ErrorReport)
})

/**
 * `reprise verify --json`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Verify = Schema.Struct({ intact: count, broken: count, sessions: Schema.Array(Verified) })

/**
 * `reprise keys list --json`: newest first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Keys = Schema.Struct({
  current: Schema.String,
  ids: Schema.Array(Schema.String),
  encrypts: Schema.Boolean
})

/**
 * `reprise keys rotate --json`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rotation = Schema.Struct({
  current: Schema.String,
  signed: Schema.Array(SessionId),
  skipped: Schema.Array(Schema.Struct({
    id: SessionId,
    reason: Schema.Literals(["current", "running", "elsewhere", "removed"])
  })),
  failed: Schema.Array(ErrorReport)
})

/**
 * `reprise export --json`. `project` is as it stands in the file.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Export = Schema.Struct({ id: SessionId, file: Schema.String, bytes: count, project: Schema.String })

/**
 * What became of the records of a history: `read` is the sum of the three others.
 * `first` is the number of the first record of that kind, from 1 on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Records = Schema.Struct({
  read: count,
  mapped: count,
  kept: count,
  skipped: count,
  reasons: Schema.Array(Schema.Struct({
    outcome: Schema.Literals(["kept", "skipped"]),
    reason: Schema.String,
    count,
    first: count
  })),
  changes: Schema.Array(Schema.Struct({ change: Schema.String, count }))
})

/**
 * A session of another agent. `original` is that agent's id of it, `agent` the
 * sub-agent that it is of, and `leftOut` counts messages that are older than what
 * fits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const History = Schema.Struct({
  file: Schema.String,
  outcome: Schema.Literals(["imported", "alreadyStored"]),
  /** Whether it was stored before, and is in the trash. */
  isRemoved: Schema.optionalKey(Schema.Boolean),
  from: HistoryKind,
  id: SessionId,
  original: Schema.String,
  agent: Schema.optionalKey(Schema.String),
  parent: Schema.optionalKey(SessionId),
  name: Schema.String,
  messages: count,
  leftOut: count,
  usage: Usage,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  project: Schema.String,
  projectExists: Schema.Boolean,
  records: Records
})

/**
 * `reprise import --json`. `changes` are what could not be taken over as it was.
 * Histories of other agents are in `histories`, empty ones in `empty`; `ignored`
 * files below a directory are nobody's history, or a sub-agent's with
 * `--main-only`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Import = Schema.Struct({
  imported: Schema.Array(Schema.Struct({
    file: Schema.String,
    id: SessionId,
    from: Schema.Literals(["reprise", "jido_code"]),
    version: Schema.Int,
    isVerified: Schema.Boolean,
    messages: count,
    todos: count,
    prompts: count,
    project: Schema.String,
    projectExists: Schema.Boolean,
    changes: Schema.Array(Schema.Struct({ path: Schema.String, change: Schema.String }))
  })),
  histories: Schema.Array(History),
  empty: Schema.Array(Schema.Struct({ file: Schema.String, from: HistoryKind, records: Records })),
  ignored: Schema.Array(Schema.Struct({ file: Schema.String, reason: Schema.String })),
  failed: Schema.Array(ErrorReport)
})
