/** Appending, one message and sixteen at once, against A; and what an append writes and syncs. */
import { Effect, Layer } from "effect"
import { type RunningSession, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { FileSystemHooks } from "effect-reprise/testing"
import * as Conversation from "../fixtures/conversation.ts"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"
import type { Variant } from "../variants.ts"

/** Bytes of the message that is appended. */
const messageBytes = 1024
const message = Conversation.ofExactly(messageBytes)

const limitOf = (variant: Variant): Rows.Limit =>
  variant.name === "synchronous" ? { must: 1.6, aim: 1.25 } : { must: 3, aim: 2 }

const appendOne = (session: RunningSession): Rounds.Subject => Rounds.whole(session.append(message))

const batch = Array.from({ length: 16 }, () => message)

const appendBatch = (session: RunningSession): Rounds.Subject => Rounds.whole(Stored.append(session, batch))

/** A running session with all of its messages in the snapshot. */
const startSaved = Effect.fnUntraced(function*(place: Stored.Place, messages: ReadonlyArray<Stored.Message>) {
  const session = yield* Stored.start(place, messages)
  yield* session.checkpoint
  return session
})

/** Appends to a session of which nothing counts, so that the compiler has seen them. */
const warmUp = Effect.fnUntraced(function*(place: Stored.Place, laps: number) {
  const session = yield* Stored.start(place, [])
  yield* Effect.repeat(session.append(message), { times: laps })
  yield* Effect.repeat(Stored.append(session, batch), { times: laps / 4 })
  yield* Sessions.close(session.id)
})

/** As conversations go: the last file of the session came a moment ago, and not just now. */
const rest = Effect.sleep("1200 millis")

const timed = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "append")
  const { processes } = yield* Stored.openAll(setting, place)
  const log = Floors.append(yield* Floors.openLog(setting.root))
  yield* Effect.forEach(processes, ({ run }) => run(warmUp(place, scale.reading.warmLaps / 2)))
  const perCount = yield* Effect.forEach(scale.counts, (count) =>
    Effect.gen(function*() {
      const messages = Stored.messagesOf(seed, count)
      const running = yield* Effect.forEach(
        processes,
        ({ run, variant }) => Effect.map(run(startSaved(place, messages)), (session) => ({ session, variant }))
      )
      yield* rest
      const rows = (
        operation: string,
        subject: (session: RunningSession) => Rounds.Subject,
        limit: (variant: Variant) => Rows.Limit
      ) =>
        Rows.against(
          { unit: "A", subject: log },
          running.map(({ session, variant }): Rows.Contender => ({
            title: { operation, of: Stored.nameOf(count), variant: variant.name, ...limit(variant) },
            subject: subject(session)
          })),
          scale
        )
      const one = yield* rows("append", appendOne, limitOf)
      const many = yield* rows("16 appends at once", appendBatch, () => ({ must: 4, aim: 2 }))
      return { running, rows: [...one, ...many] }
    }))
  const [fewest, most] = [perCount[0], perCount.at(-1)]
  const growth = yield* Effect.forEach(processes, ({ variant }, index) => {
    const [small, large] = [fewest?.running[index], most?.running[index]]
    return small === undefined || large === undefined ? Effect.succeed([]) : Rows.against(
      { unit: "x", subject: appendOne(small.session) },
      [{
        title: {
          operation: "append, growth",
          of: `${scale.counts.at(-1)} / ${scale.counts[0]} messages`,
          variant: variant.name,
          must: 1.3
        },
        subject: appendOne(large.session)
      }],
      scale
    )
  })
  return [...perCount.flatMap(({ rows }) => rows), ...growth.flat()]
})

/** Bytes written and syncs, as a hook around the file system counts them. */
const counted = Effect.fnUntraced(function*({ root, scale, seed, variants: [variant] }: Setting) {
  const place = Stored.place(root, "counted")
  const calls: Array<FileSystemHooks.Call> = []
  const files = Layer.provideMerge(FileSystemHooks.layer(FileSystemHooks.recordInto(calls)), NodeSessions.layerPlatform)
  const services = Layer.provideMerge(NodeSessions.layerServices({ directory: place.sessions }), files)
  return yield* Effect.gen(function*() {
    const [count = 1] = scale.counts
    const session = yield* startSaved(place, Stored.messagesOf(seed, count))
    // The first one after a checkpoint may tidy up.
    yield* session.append(message)
    calls.length = 0
    const appends = 10
    yield* Effect.repeat(session.append(message), { times: appends - 1 })
    const title = { of: Stored.nameOf(count), variant: variant.name }
    const bytes = calls.reduce((sum, call) => sum + (call.bytes?.length ?? 0), 0) / appends / messageBytes
    const syncs = calls.filter(({ method }) => method === "file.sync").length / appends
    const rows: ReadonlyArray<Rows.Row> = [
      { ...title, operation: "append, bytes written", value: Rows.spread([bytes]), unit: "x message", must: 1.2 },
      { ...title, operation: "append, syncs", value: Rows.spread([syncs]), unit: "syncs", must: 1 }
    ]
    yield* Sessions.close(session.id)
    return rows
  }).pipe(Effect.provide(services, { local: true }))
})

export const append = (setting: Setting) =>
  Effect.zipWith(timed(setting), counted(setting), (times, counts) => [...times, ...counts])
