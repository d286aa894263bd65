/**
 * Listing, the first time in a process and again, with the index that whoever
 * creates sessions keeps up and without it, against I; and that the size of the
 * sessions does not matter.
 */
import { Effect, Stream } from "effect"
import { Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Listing } from "../scale.ts"
import type { Setting } from "../setting.ts"
import type { Variant } from "../variants.ts"

/** Of few sessions it is the call itself that takes the time. */
const manySessions = 1000

const limitOfFirst = ({ sessions }: Listing, variant: Variant): Rows.Limit =>
  sessions < manySessions ? {} : { must: variant.name === "synchronous" ? 3 : 9, aim: 1.5 }

const limitOfNext = ({ sessions }: Listing): Rows.Limit => sessions < manySessions ? {} : { must: 0.8, aim: 0.5 }

const collect = Stream.runCollect(Sessions.list())

/** A list as a process begins with it: nothing is known yet. */
const listFirst = (variant: Variant, place: Stored.Place): Rounds.Subject => (time) =>
  Effect.scoped(Effect.flatMap(Stored.open(variant, place), ({ run }) => run(time(collect))))

/** The same where no process before it wrote down what it saw. */
const listWithoutIndex = (variant: Variant, place: Stored.Place): Rounds.Subject => {
  const index = NodePath.join(place.sessions, "index.json")
  // There is none where there are few sessions.
  const move = (from: string, to: string) => Effect.sync(() => NodeFs.existsSync(from) && NodeFs.renameSync(from, to))
  return (time) =>
    Effect.acquireUseRelease(
      move(index, `${index}.aside`),
      () => listFirst(variant, place)(time),
      () => move(`${index}.aside`, index)
    )
}

/** Creates another session, once all are at rest: its process lists them, and keeps up the index. */
const createAnother = (variant: Variant, place: Stored.Place, seed: number) =>
  Effect.sleep("1200 millis").pipe(
    Effect.andThen(Stored.open(variant, place)),
    Effect.flatMap(({ run }) => run(Stored.store(place, Stored.messagesOf(seed, 1)))),
    Effect.scoped
  )

/** A place with that many sessions stored. */
const fill = Effect.fnUntraced(function*({ root, seed, variants: [variant] }: Setting, { sessions, size }: Listing) {
  const place = Stored.place(root, `list-${sessions}-${size.bytes}`)
  const { run } = yield* Stored.open(variant, place)
  Stored.multiply(place, yield* run(Stored.store(place, Stored.messagesOf(seed, size))), sessions)
  return place
}, Effect.scoped)

const nameOf = ({ sessions, size }: Listing): string => `${sessions.toLocaleString("en")} of ${size.name}`

const timed = Effect.fnUntraced(function*(setting: Setting, listing: Listing) {
  const place = yield* fill(setting, listing)
  yield* createAnother(setting.variants[0], place, setting.seed)
  const { processes } = yield* Stored.openAll(setting, place)
  const title = ({ variant }: Stored.Process) => ({ of: nameOf(listing), variant: variant.name })
  return yield* Rows.against(
    { unit: "I", subject: Floors.list(place.sessions) },
    [
      ...processes.map((process): Rows.Contender => ({
        title: { ...title(process), operation: "list, first call", ...limitOfFirst(listing, process.variant) },
        subject: listFirst(process.variant, place)
      })),
      ...processes.map((process): Rows.Contender => ({
        title: { ...title(process), operation: "list, first call, no index" },
        subject: listWithoutIndex(process.variant, place)
      })),
      ...processes.map((process): Rows.Contender => ({
        title: { ...title(process), operation: "list again", ...limitOfNext(listing) },
        subject: Rounds.whole(process.run(collect))
      }))
    ],
    setting.scale
  )
}, Effect.scoped)

const growth = Effect.fnUntraced(function*(setting: Setting) {
  const [small, large] = setting.scale.listGrowth
  const [few, many] = [yield* fill(setting, small), yield* fill(setting, large)]
  return yield* Effect.forEach(setting.variants, (variant) =>
    Rows.against(
      { unit: "x", subject: listFirst(variant, few) },
      [{
        title: {
          operation: "list, growth",
          of: `${nameOf(large)} / ${small.size.name}`,
          variant: variant.name,
          must: 1.2
        },
        subject: listFirst(variant, many)
      }],
      setting.scale
    ))
})

export const list = Effect.fnUntraced(function*(setting: Setting) {
  const times = yield* Effect.forEach(setting.scale.lists, (listing) => timed(setting, listing))
  return [...times, ...yield* growth(setting)].flat()
})
