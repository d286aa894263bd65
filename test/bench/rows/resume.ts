/**
 * Resuming, against a load, and with the last messages alone, against L. What the
 * first event costs, which makes the lease durable that a resume only writes down.
 */
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import * as Conversation from "../fixtures/conversation.ts"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

/** Messages that are delivered at first. */
const tail = 20

const limitOfTail = (bytes: number): Rows.Limit => bytes >= 500_000 ? { must: 0.6 } : {}

const message = Conversation.ofExactly(1024)

export const resume = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "resume")
  const { base, processes } = yield* Stored.openAll(setting, place)
  const log = Floors.append(yield* Floors.openLog(setting.root))
  return yield* Effect.forEach(
    scale.kinds,
    Effect.fnUntraced(function*(kind) {
      const id = yield* base.run(Stored.store(place, Stored.messagesOf(seed, kind)))
      return yield* Effect.forEach(
        processes,
        Effect.fnUntraced(function*({ run, variant }) {
          const load = run(Sessions.load(id))
          const resumed = (options: Sessions.ResumeOptions): Rounds.Subject => (time) =>
            run(Effect.andThen(time(Sessions.resume(id, options)), Sessions.close(id)))
          const first: Rounds.Subject = (time) =>
            run(Effect.andThen(
              Effect.flatMap(Sessions.resume(id), (session) => time(session.append(message))),
              Sessions.close(id)
            ))
          const [loads = [], resumes = [], floors = [], ends = [], firsts = [], lines = []] = yield* Rounds.alternate([
            Rounds.whole(load),
            resumed({}),
            Floors.load(Stored.filesOf(place, id)),
            resumed({ tail }),
            first,
            log
          ], scale)
          const title = { of: Stored.nameOf(kind), variant: variant.name }
          return [
            Rows.compare(
              { ...title, operation: "resume, over load", must: 0.5, aim: 0.1 },
              { unit: "ms over it", relation: Rows.difference },
              resumes,
              loads
            ),
            Rows.compare(
              {
                ...title,
                operation: `resume, last ${tail} messages`,
                ...limitOfTail(Stored.bytesIn(Stored.filesOf(place, id)))
              },
              { unit: "L" },
              ends,
              floors
            ),
            Rows.compare({ ...title, operation: "first append after a resume" }, { unit: "A" }, firsts, lines)
          ]
        })
      )
    })
  )
}, Effect.map((rows) => rows.flat(2)))
