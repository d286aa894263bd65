/**
 * The handle of a running session: checks what callers hand in, and submits it.
 *
 * @since 0.1.0
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Check from "../core/Check.ts"
import * as Json from "../core/Json.ts"
import { EventRejected, Invalid, Refused } from "../core/SessionError.ts"
import * as SessionEvent from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Blobs from "./Blobs.ts"
import { now } from "./Now.ts"
import * as Redaction from "./Redaction.ts"
import type { ChangeError, RunningSession } from "./RunningSession.ts"
import type { Limits } from "./SessionLimits.ts"
import type { SessionWriter } from "./SessionWriter.ts"

const isEvent = Check.make(SessionEvent.parsed)

/**
 * @category constructors
 * @since 0.1.0
 */
export const rejection = (id: SessionId) => (path: string, expected: string) =>
  new EventRejected({ id, reason: new Invalid({ path, expected }) })

/**
 * Takes what a caller hands in as an event: plain data of its own, or what is
 * wrong with it.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkOf = (id: SessionId, limits: Limits) => {
  const reject = rejection(id)
  return (input: unknown): Result.Result<SessionEvent.SessionEvent, EventRejected> => {
    // A document holds a message one level deeper than an event does.
    const copied = Json.copy(input, limits.maxDepth - 1, limits.maxBytes)
    return Result.isFailure(copied)
      ? Result.fail(reject(Json.formatPath(copied.failure.path), copied.failure.expected))
      : Result.mapError(isEvent(copied.success), ([{ expected, path }]) => reject(path, expected))
  }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly id: SessionId
  readonly writer: SessionWriter
  readonly limits: Limits
  readonly redact: Redaction.Redact
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly exit: Effect.Effect<Exit.Exit<void, unknown>>
}): RunningSession => {
  const { exit, id, limits, random, redact, writer } = options

  const reject = rejection(id)
  const check = checkOf(id, limits)

  /** Writes an event without what is large in it, which goes beside the session. */
  const write = (event: SessionEvent.SessionEvent): Effect.Effect<SessionEvent.SessionEvent, ChangeError> => {
    if (event._tag !== "MessageAppended") return Effect.as(writer.submit(event), event)
    return Effect.matchEffect(Blobs.split(event.message, limits), {
      onFailure: (reason) => Effect.fail(new EventRejected({ id, reason })),
      onSuccess: ({ blobs, message }) => {
        const stored: SessionEvent.SessionEvent = { _tag: "MessageAppended", message }
        return Effect.as(writer.submit(stored, blobs), stored)
      }
    })
  }

  /** Writes what is left of an event by the hook. */
  const writeRedacted = (event: SessionEvent.SessionEvent) =>
    Effect.gen(function*() {
      const refuse = (cause: unknown) => new EventRejected({ id, reason: new Refused({ cause }) })
      const redacted = yield* Effect.mapError(redact(event, id), refuse)
      if (redacted._tag !== event._tag) return yield* refuse(new Error("the hook made another event of it"))
      // Checked and copied even where it is the same object: the hook may have changed it, and may keep it.
      return yield* write(yield* Effect.fromResult(check(redacted)))
    })

  const submit = (input: unknown): Effect.Effect<SessionEvent.SessionEvent, ChangeError> => {
    const event = check(input)
    if (Result.isFailure(event)) return Effect.fail(event.failure)
    return redact === Redaction.none ? write(event.success) : writeRedacted(event.success)
  }

  const send = (input: unknown) => Effect.asVoid(Effect.suspend(() => submit(input)))

  return {
    id,
    state: writer.state,
    earlier: writer.earlier,
    changes: writer.changes,
    append: Effect.fnUntraced(function*(input) {
      const { content, id: given, role, timestamp = yield* now, ...further } = input
      const message = { id: given ?? (yield* random.uuidV4()), role, content, timestamp, ...further }
      const stored = yield* submit({ _tag: "MessageAppended", message })
      return stored._tag === "MessageAppended" ? stored.message : yield* reject("", "a message")
    }),
    replaceTodos: (todos) => send({ _tag: "TodosReplaced", todos }),
    recordPrompt: (prompt) => send({ _tag: "PromptRecorded", prompt }),
    configure: (config) => send({ _tag: "Configured", config }),
    rename: (name) => send({ _tag: "Renamed", name }),
    annotate: (metadata) => send({ _tag: "Annotated", metadata }),
    blob: (reference) => Blobs.read(writer.source, reference),
    materialise: (message) => Blobs.materialise(writer.source, message),
    checkpoint: writer.checkpoint,
    awaitExit: exit
  }
}
