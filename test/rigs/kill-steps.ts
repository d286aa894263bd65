/**
 * Kills a real process before and after every file-system call of every
 * operation, until no call is left, and looks at what it leaves.
 *
 * `npm run rig:kill-steps [-- --every 5]`
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Logger } from "effect"
import * as Aftermath from "./aftermath.ts"
import * as Options from "./options.ts"

NodeRuntime.runMain(
  Effect.gen(function*() {
    const { every } = Options.parse({ every: 1 })
    const { findings, kills } = yield* Aftermath.killAtEveryStep({ every })
    yield* Effect.forEach(findings, (finding) => Console.log(`FAILED ${finding}`))
    yield* Console.log(`${kills} kills, ${findings.length} failures`)
    if (findings.length > 0) return yield* Effect.die(new Error("a kill left something wrong"))
  }).pipe(Effect.provide([NodeServices.layer, Logger.layer([])]))
)
