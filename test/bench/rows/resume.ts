/** Resuming, against a load and the syncs that a resume can't do without. */
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import * as Stored from "../fixtures/sessions.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

export const resume = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "resume")
  const { base, processes } = yield* Stored.openAll(setting, place)
  return yield* Effect.forEach(
    [...scale.sizes, ...scale.counts],
    Effect.fnUntraced(function*(kind) {
      const id = yield* base.run(Stored.store(place, Stored.messagesOf(seed, kind)))
      return yield* Effect.forEach(processes, ({ run, variant }) =>
        Rows.against(
          { unit: "ms over load", subject: Rounds.whole(run(Sessions.load(id))), relation: Rows.difference },
          [{
            operation: "resume",
            of: Stored.nameOf(kind),
            variant: variant.name,
            must: 0.5,
            aim: 0.1,
            subject: (time) => run(Effect.andThen(time(Sessions.resume(id)), Sessions.close(id)))
          }],
          scale
        ))
    })
  )
}, Effect.map((rows) => rows.flat(2)))
