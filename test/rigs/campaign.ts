/**
 * What every rig run as a script has in common: whole numbers from the command
 * line, a seed that is printed first and replays the run, a line for each
 * finding, the counts, and an exit code.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Logger, Random, type Scope } from "effect"
import * as Options from "./options.ts"

/** What a run did, in words with numbers, and everything that it found wrong. */
export interface Outcome {
  readonly counts: string
  readonly findings: ReadonlyArray<string>
}

/** Runs a rig with the options of the command line, `--seed` among them. Random is seeded with it. */
export const main = <Defaults extends Record<string, number>>(
  script: string,
  defaults: Defaults,
  run: (
    options: { readonly [K in keyof Defaults]: number } & { readonly seed: number }
  ) => Effect.Effect<Outcome, unknown, NodeServices.NodeServices | Scope.Scope>
): void =>
  NodeRuntime.runMain(
    Effect.gen(function*() {
      const options = Options.parse({ ...defaults, seed: yield* Random.nextIntBetween(0, 2 ** 31) })
      const given = Object.entries(options).map(([name, value]) => `--${name} ${value}`).join(" ")
      yield* Console.log(`npm run ${script} -- ${given}`)
      const { counts, findings } = yield* run(options).pipe(Random.withSeed(options.seed), Effect.scoped)
      yield* Effect.forEach(findings, (finding) => Console.log(`FAILED ${finding}`))
      yield* Console.log(`${counts}, ${findings.length} failures`)
      if (findings.length > 0) return yield* Effect.die(new Error(`${script} found something wrong`))
    }).pipe(Effect.provide([NodeServices.layer, Logger.layer([])]))
  )
