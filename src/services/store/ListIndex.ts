/**
 * What a list remembers of sessions at rest, in a file: so that a process need not
 * read ten thousand heads before it shows the first one.
 *
 * Whoever creates a session keeps it up; a list reads it and changes nothing. It
 * is never needed: without it, or with one that can't be read, a list reads heads.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "../../core/Check.ts"
import * as JsonDocument from "../../core/JsonDocument.ts"
import * as Session from "../../core/Session.ts"
import { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as Text from "../../core/Text.ts"
import { Timestamp } from "../../core/Timestamp.ts"
import type { Files } from "./Files.ts"

/** An entry of a session at rest, for as long as its directory does not change: what is in it changes by renames. */
export interface Remembered {
  readonly identity: string
  readonly entry: SessionList.Stored
}

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const { name, projectPath } = Session.parsed.Session.fields

const Entry = Schema.Struct({
  _tag: Schema.Literal("Stored"),
  id: SessionId,
  name,
  projectPath,
  status: Schema.Literals(["closed", "removed"]),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  closedAt: Schema.optionalKey(Timestamp),
  removedAt: Schema.optionalKey(Timestamp),
  messages: count,
  todosOpen: count,
  todosDone: count,
  bytes: count,
  parent: Schema.optionalKey(Session.Parent)
})

const version = 1

const Document = Schema.Struct({
  index: Schema.Literal(version),
  sessions: Schema.Array(Schema.Struct({ identity: Schema.String, entry: Entry }))
})

const isDocument = Check.make(Document)

/** More than a hundred thousand sessions take. */
const maxBytes = 64 * 1024 * 1024

/** What an index holds; nothing where there is none that can be read. */
export const read = (files: Files, file: string): Effect.Effect<ReadonlyArray<Remembered>> =>
  files.read(file, maxBytes).pipe(
    Effect.map(({ bytes }) => Result.flatMap(JsonDocument.parse(bytes), isDocument)),
    Effect.map((document) => Result.isSuccess(document) ? document.success.sessions : []),
    Effect.orElseSucceed(() => [])
  )

/** Puts an index in the place of another, by way of a private name. As far as it goes, and never fails. */
export const write = (
  files: Files,
  { file, prepared }: { readonly file: string; readonly prepared: string },
  sessions: Iterable<Remembered>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const bytes = Text.toBytes(JSON.stringify({ index: version, sessions: Array.from(sessions, (one) => one) }))
    if (bytes.length > maxBytes) return Effect.void
    return files.write(prepared, bytes).pipe(
      Effect.andThen(files.rename(prepared, file)),
      Effect.onError(() => files.removeQuietly(prepared))
    )
  }).pipe((effect) => Effect.asVoid(Effect.exit(effect)))
