/**
 * Lets somebody pick a session at the terminal.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as List from "../../pipelines/List.ts"
import * as Load from "../../pipelines/Load.ts"
import { ExitCode } from "../ExitCode.ts"
import * as Explain from "../Explain.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import type { Target } from "../Target.ts"
import * as Where from "../Where.ts"
import * as Loop from "./Loop.ts"
import * as Picker from "./Picker.ts"
import * as PickerView from "./PickerView.ts"

/** A file of another format is no session; only `import` makes one of it. */
const isTarget = (entry: SessionList.Entry): entry is Target => entry._tag !== "Foreign"

/** Loads, and so verifies, a session for its preview. */
const preview = (id: SessionId): Effect.Effect<Picker.Preview, never, Effect.Services<ReturnType<typeof Load.load>>> =>
  Effect.match(Load.load(id), {
    onFailure: (error) => ({ _tag: "Failed", explained: Explain.explain(error) }),
    onSuccess: ({ state }) => ({ _tag: "Loaded", state })
  })

/**
 * The session that was picked; `Left` and `Interrupted` where none was.
 *
 * @category running
 * @since 0.1.0
 */
export const pick = Effect.fn("Pick.pick")(function*(options: { readonly canTakeOver: boolean }) {
  const { style } = yield* Output.current
  const project = yield* Where.project()
  const entries = (yield* Stream.runCollect(List.list())).filter(isTarget)
  if (entries.length === 0) {
    return yield* new Failure({
      kind: "NothingStored",
      exitCode: ExitCode.notFound,
      what: "There is no session to resume.",
      why: "None is stored yet.",
      next: "Begin one: reprise new"
    })
  }
  return yield* Loop.run({
    mode: "full",
    first: Picker.first(Picker.make({ ...options, entries, project })),
    update: Picker.update,
    view: PickerView.view(style),
    perform: (wanted, tell: (event: Picker.Event) => Effect.Effect<unknown>) =>
      Queue.takeAll(wanted).pipe(
        // Those before were passed by while others were read.
        Effect.flatMap((ids) => {
          const id = ids[ids.length - 1] ?? ids[0]
          return Effect.flatMap(preview(id), (preview) => tell({ _tag: "Previewed", id, preview }))
        }),
        Effect.forever
      )
  })
})
