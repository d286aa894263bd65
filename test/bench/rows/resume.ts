/**
 * Resuming, against a load and what makes it durable: it can't do without a lease
 * and a journal, both synced. And resuming with the last messages alone, against L.
 */
import { Array as Arr, Effect } from "effect"
import { Sessions } from "effect-reprise"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

/** Messages that are delivered at first. */
const tail = 20

const limitOfTail = (bytes: number): Rows.Limit => bytes >= 500_000 ? { must: 0.6 } : {}

/** What is left of laps beside others. */
const beside = (laps: Rounds.Laps, others: Rounds.Laps): Rounds.Laps =>
  Arr.zipWith(laps, others, (lap, other) => ({ wall: lap.wall - other.wall, cpu: lap.cpu - other.cpu }))

export const resume = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "resume")
  const { base, processes } = yield* Stored.openAll(setting, place)
  const begin = Floors.begin(place.projects)
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
          const [loads = [], durable = [], resumes = [], floors = [], syncs = [], ends = []] = yield* Rounds.alternate([
            Rounds.whole(load),
            (time) => Effect.andThen(time(load), begin(time)),
            resumed({}),
            Floors.load(Stored.filesOf(place, id)),
            begin,
            resumed({ tail })
          ], scale)
          const title = { of: Stored.nameOf(kind), variant: variant.name }
          const floor = { unit: "ms over it", relation: Rows.difference }
          return [
            Rows.compare({ ...title, operation: "resume, over load" }, floor, resumes, loads),
            Rows.compare(
              { ...title, operation: "resume, over load and its syncs", must: 0.5, aim: 0.1 },
              floor,
              resumes,
              durable
            ),
            Rows.compare(
              {
                ...title,
                operation: `resume, last ${tail} messages, over its syncs`,
                ...limitOfTail(Stored.bytesIn(Stored.filesOf(place, id)))
              },
              { unit: "L" },
              beside(ends, syncs),
              floors
            )
          ]
        })
      )
    })
  )
}, Effect.map((rows) => rows.flat(2)))
