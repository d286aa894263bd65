/**
 * Where the time of an operation goes, in percent, by function.
 *
 * `npm run bench:profile [-- --only "load 10 MB,append" --seconds 3 --top 15]`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger, Stream } from "effect"
import { Sessions } from "effect-reprise"
import * as NodeOs from "node:os"
import { parseArgs } from "node:util"
import * as Conversation from "./fixtures/conversation.ts"
import * as Stored from "./fixtures/sessions.ts"
import * as Profiler from "./measuring/profiler.ts"
import * as Report from "./measuring/report.ts"
import { full } from "./scale.ts"
import * as Variants from "./variants.ts"
import * as Workspace from "./workspace.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    variant: { type: "string", default: "FileSystem" },
    directory: { type: "string", default: NodeOs.tmpdir() },
    seconds: { type: "string", default: "3" },
    top: { type: "string", default: "25" },
    sessions: { type: "string", default: "10000" }
  }
})

const seed = 1
const [first] = Variants.all
const variant = Variants.all.find(({ name }) => name === values.variant) ?? first

/** What there is to profile: made when it is asked for. */
const operations = (root: string) => {
  const place = Stored.place(root, "profile")
  const open = Stored.open(variant, place)
  const loads = full.kinds.flatMap((kind) =>
    [{ how: "", store: Stored.store }, { how: ", journal of 25 %", store: Stored.startWithJournal }].map((load) => ({
      name: `load ${Stored.nameOf(kind)}${load.how}`,
      prepare: Effect.gen(function*() {
        const { run } = yield* open
        const id = yield* run(load.store(place, Stored.messagesOf(seed, kind)))
        return { program: run(Sessions.load(id)) }
      })
    }))
  )
  const running = (count: number) =>
    Effect.flatMap(open, ({ run }) => run(Stored.start(place, Stored.messagesOf(seed, count))))
  return [
    ...loads,
    {
      name: "append",
      prepare: Effect.map(running(1000), (session) => ({ program: session.append(Conversation.ofExactly(1024)) }))
    },
    {
      name: "checkpoint 10,000 messages",
      prepare: Effect.map(running(10_000), (session) => ({
        program: Effect.andThen(session.append(Conversation.ofExactly(1024)), session.checkpoint)
      }))
    },
    {
      name: "list",
      prepare: Effect.gen(function*() {
        const listed = Stored.place(root, "listed")
        const { run } = yield* Stored.open(variant, listed)
        const id = yield* run(Stored.store(listed, Stored.messagesOf(seed, { name: "100 KB", bytes: 100_000 })))
        Stored.multiply(listed, id, Number(values.sessions))
        const collect = Stream.runCollect(Sessions.list())
        const program = Effect.scoped(Effect.flatMap(Stored.open(variant, listed), (process) => process.run(collect)))
        return { program }
      })
    },
    {
      name: "resume 1 MB",
      prepare: Effect.gen(function*() {
        const { run } = yield* open
        const id = yield* run(Stored.store(place, Stored.messagesOf(seed, 1000)))
        return { program: run(Effect.andThen(Sessions.resume(id), Sessions.close(id))) }
      })
    }
  ]
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const main = Effect.gen(function*() {
  const root = yield* Workspace.make(values.directory)
  const wanted = values.only.split(";")
  const chosen = operations(root).filter(({ name }) => values.only === "" || wanted.includes(name))
  for (const { name, prepare } of chosen) {
    yield* Effect.scoped(Effect.gen(function*() {
      const { program } = yield* prepare
      const { functions, times } = yield* Profiler.profile(program, Number(values.seconds) * 1000)
      yield* Console.log(`\n${name}, ${times} times`)
      const lines = functions.slice(0, Number(values.top)).map(({ self, total, where }) => [
        where,
        percent(self),
        percent(total)
      ])
      yield* Console.log(Report.align([["function", "self", "total"], ...lines], 1))
    }))
  }
}).pipe(Effect.scoped, Effect.provide(Logger.layer([])))

NodeRuntime.runMain(main)
