/** Loading: typed, verified and validated, against L. */
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"
import type { Variant } from "../variants.ts"

/** What a load may cost, by the size of what it loads. */
const limitOf = (bytes: number, variant: Variant): Rows.Limit => {
  if (bytes >= 500_000) return { must: 1.4, aim: 1.15 }
  if (bytes > 20_000) return {}
  return variant.name === "synchronous" ? { must: 2, aim: 1.5 } : { must: 8, aim: 5 }
}

const limitWithJournal = (bytes: number): Rows.Limit => bytes >= 500_000 ? { must: 1.5, aim: 1.25 } : {}

const operations = [
  { operation: "load", store: Stored.store, limit: limitOf },
  { operation: "load, journal of 25 %", store: Stored.startWithJournal, limit: limitWithJournal }
]

export const load = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "load")
  const { base, processes } = yield* Stored.openAll(setting, place)
  return yield* Effect.forEach(
    operations.flatMap((row) => scale.kinds.map((kind) => ({ ...row, kind }))),
    Effect.fnUntraced(function*({ kind, limit, operation, store }) {
      const id = yield* base.run(store(place, Stored.messagesOf(seed, kind)))
      const files = Stored.filesOf(place, id)
      return yield* Rows.against(
        { unit: "L", subject: Floors.load(files) },
        processes.map(({ run, variant }): Rows.Contender => ({
          title: {
            operation,
            of: Stored.nameOf(kind),
            variant: variant.name,
            ...limit(Stored.bytesIn(files), variant)
          },
          subject: Rounds.whole(run(Sessions.load(id)))
        })),
        { ...scale, ...scale.reading }
      )
    })
  )
}, Effect.map((rows) => rows.flat()))
