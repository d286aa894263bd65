/**
 * Messages as they stand in a snapshot: verified bytes, read when they are wanted.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import * as JsonDocument from "./JsonDocument.ts"
import * as MessageLines from "./MessageLines.ts"
import * as Session from "./Session.ts"
import { InvalidJson, Shape } from "./SessionError.ts"
import type * as SessionId from "./SessionId.ts"
import * as Text from "./Text.ts"

/**
 * The first messages of a snapshot, which are verified and not parsed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Earlier {
  readonly count: number
  /** Their UTF-8, as it stands in a snapshot. */
  readonly bytes: Uint8Array
}

/**
 * @category constants
 * @since 0.1.0
 */
export const none: Earlier = { count: 0, bytes: new Uint8Array() }

const isConversation = Check.make(Schema.Array(Session.parsed.Message))

/**
 * Reads messages a piece at a time. None where anything is wrong. `maxDepth` is
 * that of the document that they stand in.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (bytes: Uint8Array, maxDepth: number): Option.Option<ReadonlyArray<Session.Message>> =>
  Option.gen(function*() {
    const conversation: Array<Session.Message> = []
    for (const piece of yield* MessageLines.pieces(bytes)) {
      for (const message of yield* Result.getSuccess(listOf(piece, maxDepth))) conversation.push(message)
    }
    return conversation
  })

const [openList, closeList] = [Text.toBytes("["), Text.toBytes("]")]

/** Messages as they stand in a document: a level less is around them. */
const listOf = (
  bytes: Uint8Array,
  maxDepth: number
): Result.Result<ReadonlyArray<Session.Message>, JsonDocument.Reason> =>
  JsonDocument.parseValue(Text.concat([openList, bytes, closeList]), maxDepth - 1).pipe(
    Result.flatMap((json) => Result.mapError(isConversation(json), ([reason]) => reason))
  )

/**
 * Reads verified messages by themselves.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseEarlier = (
  id: SessionId.SessionId,
  { bytes, count }: Earlier,
  maxDepth: number
): Result.Result<ReadonlyArray<Session.Message>, InvalidJson> =>
  Result.fromOption(parse(bytes, maxDepth), () => undefined).pipe(
    Result.orElse(() => listOf(bytes, maxDepth)),
    Result.filterOrFail(
      ({ length }) => length === count,
      ({ length }) => new Shape({ path: "messages", expected: `with ${length} before the last ones, as counted` })
    ),
    Result.mapError((reason) => new InvalidJson({ id, reason }))
  )
