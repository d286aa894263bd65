/**
 * A process beside others on a store: again and again it lists everything, loads
 * every session and tries to resume it. One that it gets it adds to, and closes.
 * Between `go` and `pause` on its standard input; it ends with that.
 *
 * `node bystander.ts <root> <first mark> [mutant]`
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import { createInterface } from "node:readline"
import * as Account from "./kills/account.ts"
import * as Actor from "./kills/actor.ts"
import * as Process from "./kills/process.ts"

const [, , root = "", firstMark = "1", mutant] = process.argv

const tell = (line: Account.Line) => void writeSync(1, `${JSON.stringify(line)}\n`)
const { change, close, list, load, resume } = Actor.make({ tell, firstMark: Number(firstMark) })

const round = Effect.gen(function*() {
  for (const { id, status } of yield* list) {
    yield* load(id)
    if (status === "removed") continue
    const resumed = yield* resume(id)
    if (Option.isNone(resumed)) continue
    yield* change(resumed.value, ["message", "todos"])
    yield* close(id)
  }
})

/** Open while it should go on. */
const way = Latch.makeUnsafe(false)
/** Open as long as nobody waits for it to pause. */
let isAsked = false
let isOver = false

const orders = createInterface({ input: process.stdin })
orders.on("line", (order) => {
  isAsked = order === "pause"
  way.openUnsafe()
})
orders.on("close", () => {
  isOver = true
  way.openUnsafe()
})

const rounds = Effect.gen(function*() {
  yield* way.await
  if (isOver) return
  // Others need the machine, too.
  yield* Effect.sleep("3 millis")
  // One more round after it was asked to pause: what was left by then, it finds.
  const isLast = isAsked
  yield* round
  if (isLast) {
    yield* way.close
    isAsked = false
    tell({ _tag: "Paused", at: Account.now() })
  }
}).pipe(Effect.repeat({ until: () => isOver }))

flushCompileCache()
tell({ _tag: "Up", at: Account.now() })

await Effect.runPromise(Effect.provide(rounds, Process.at(root, { mutant })))
process.exit()
