/** Saving: a first close, and a checkpoint after a few new messages, against S. */
import { Effect } from "effect"
import { type RunningSession, Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as Conversation from "../fixtures/conversation.ts"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import type * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

const isLarge = (bytes: number): boolean => bytes >= 500_000

const limitOfClose = (bytes: number): Rows.Limit => isLarge(bytes) ? { must: 1.3, aim: 1.1 } : {}

const limitOfCheckpoint = (bytes: number): Rows.Limit => {
  if (!isLarge(bytes)) return {}
  return bytes >= 5_000_000 ? { must: 0.4, aim: 0.25 } : { must: 0.6, aim: 0.45 }
}

/** Closes a session none of whose messages was ever in a snapshot. */
const closeFirst =
  ({ run }: Stored.Process, place: Stored.Place, messages: ReadonlyArray<Stored.Message>): Rounds.Subject => (time) =>
    run(Effect.gen(function*() {
      const { id } = yield* Stored.start(place, messages)
      yield* time(Sessions.close(id))
      yield* Stored.destroy(id)
    }))

const fewMessages = Array.from({ length: 3 }, () => Conversation.ofExactly(1024))

const checkpointAgain = (session: RunningSession): Rounds.Subject => (time) =>
  Effect.andThen(Stored.append(session, fewMessages), time(session.checkpoint))

interface Document {
  readonly conversation: Array<unknown>
}

const parse: (text: string) => Document = JSON.parse

/** A document that grows by as much each time as the sessions that it is compared with. */
const saveGrown = (directory: string, document: Document): Rounds.Subject => {
  const save = Floors.save(directory, document)
  const told = { id: crypto.randomUUID(), timestamp: new Date().toISOString() }
  const grow = Effect.sync(() =>
    void document.conversation.push(...fewMessages.map((message) => ({ ...told, ...message })))
  )
  return (time) => Effect.andThen(grow, save(time))
}

export const save = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "save")
  const { base, processes } = yield* Stored.openAll(setting, place)
  return yield* Effect.forEach(
    scale.kinds,
    Effect.fnUntraced(function*(kind) {
      const messages = Stored.messagesOf(seed, kind)
      const stored = Stored.filesOf(place, yield* base.run(Stored.store(place, messages)))
      const bytes = Stored.bytesIn(stored)
      const document = parse(NodeFs.readFileSync(stored.snapshot, "utf8"))
      const title = (operation: string, { variant }: Stored.Process) => ({
        operation,
        of: Stored.nameOf(kind),
        variant: variant.name
      })
      const closes = yield* Rows.against(
        { unit: "S", subject: Floors.save(place.projects, document) },
        processes.map((process): Rows.Contender => ({
          title: { ...title("first close", process), ...limitOfClose(bytes) },
          subject: closeFirst(process, place, messages)
        })),
        // Each needs a session of its own, which takes longer than what is measured.
        { ...scale, warmMillis: 0, warmLaps: 0, minLaps: 1, maxLaps: 1 }
      )
      const running = yield* Effect.forEach(
        processes,
        (process) => Effect.map(process.run(Stored.start(place, messages)), (session) => ({ process, session }))
      )
      const checkpoints = yield* Rows.against(
        { unit: "S", subject: saveGrown(place.projects, document) },
        running.map(({ process, session }): Rows.Contender => ({
          title: { ...title("checkpoint, few new", process), ...limitOfCheckpoint(bytes) },
          subject: checkpointAgain(session)
        })),
        scale
      )
      yield* Effect.forEach(running, ({ process, session }) => process.run(Sessions.close(session.id)))
      return [...closes, ...checkpoints]
    })
  )
}, Effect.map((rows) => rows.flat()))
