/** The tools of the tests: what they do is counted. */
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

export const Add = Tool.make("add", {
  description: "Adds two numbers.",
  parameters: Schema.Struct({ a: Schema.FiniteFromString, b: Schema.Finite }),
  success: Schema.Finite
})

/** Has no result, as tools do by default. */
export const Log = Tool.make("log", { parameters: Schema.Struct({ line: Schema.String }) })

export const Read = Tool.make("read", {
  parameters: Schema.Struct({ path: Schema.String }),
  success: Schema.String
}).annotate(Tool.Idempotent, true)

export const Delete = Tool.make("delete", {
  parameters: Schema.Struct({ path: Schema.String }),
  success: Schema.String,
  needsApproval: ({ path }) => path !== "/tmp"
})

export class Broken extends Schema.TaggedError<Broken>()("Broken", { why: Schema.String }) {}

export const Break = Tool.make("break", { success: Schema.String, failure: Broken })

export const Refuse = Tool.make("refuse", { success: Schema.String, failure: Broken, failureMode: "return" })

export const toolkit = Toolkit.make(Add, Log, Read, Delete, Break, Refuse)

/** Handlers that tell each call as it begins. */
export const layer = (began: (call: string) => Effect.Effect<void> = () => Effect.void) =>
  toolkit.toLayer({
    add: ({ a, b }) => Effect.as(began(`add ${a} ${b}`), a + b),
    log: ({ line }) => began(`log ${line}`),
    read: Effect.fnUntraced(function*({ path }, context) {
      yield* began(`read ${path}`)
      yield* context.preliminary("reading")
      return `content of ${path}`
    }),
    delete: ({ path }) => Effect.as(began(`delete ${path}`), "deleted"),
    break: () => Effect.andThen(began("break"), Effect.fail(new Broken({ why: "it is old" }))),
    refuse: () => Effect.andThen(began("refuse"), Effect.fail(new Broken({ why: "no" })))
  })
