/**
 * Messages as they were appended, for a model that has to see what they refer to.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Blob from "../core/Blob.ts"
import type { Message, Part } from "../core/Session.ts"
import type { StoreError } from "../core/SessionError.ts"
import type { RunningSession } from "../services/RunningSession.ts"

/** What reads a history again and again gets the same messages again, as objects, and reads nothing twice. */
const known = new WeakMap<Message, Message>()

/** A file that is no longer there is told of in words: no model takes a part without what is in it. */
const inWords = (message: Message): Message => {
  const { content } = message
  if (typeof content === "string") return message
  const missing = new Map(Blob.references(message).map(({ at, bytes }) => [at[1], bytes]))
  return {
    ...message,
    content: content.map((part, index): Part => {
      const bytes = missing.get(index)
      return part.type === "file" && bytes !== undefined
        ? { type: "text", text: `[${part.mediaType} of ${bytes} bytes: can't be read any more]` }
        : part
    })
  }
}

/** The message with its large parts. */
const message = (session: RunningSession, stored: Message): Effect.Effect<Message, StoreError> =>
  Effect.suspend(() => {
    if (Blob.references(stored).length === 0) return Effect.succeed(stored)
    const before = known.get(stored)
    if (before !== undefined) return Effect.succeed(before)
    return session.materialise(stored).pipe(
      Effect.tap((whole) => Effect.sync(() => void known.set(stored, whole))),
      Effect.catchTag(
        "InvalidBlob",
        (error) =>
          Effect.logWarning("a model is told of a large part in words", error).pipe(
            Effect.annotateLogs({ sessionId: session.id }),
            Effect.as(inWords(stored))
          )
      )
    )
  })

/**
 * Messages with their large parts. One that is missing or damaged is told of in
 * words, and logged: a conversation must not end with it.
 *
 * @category reading
 * @since 0.1.0
 */
export const messages = (
  session: RunningSession,
  stored: ReadonlyArray<Message>
): Effect.Effect<ReadonlyArray<Message>, StoreError> => Effect.forEach(stored, (one) => message(session, one))
