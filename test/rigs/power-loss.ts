/**
 * Records random histories call by call, and lets the power fail after each call
 * in many ways: the next process has to find everything that was acknowledged,
 * and nothing that nobody said.
 *
 * `npm run rig:power-loss [-- --histories 20 --steps 40 --subsets 4 --every 1]`;
 * `--first 7 --histories 1` with the seed of a run is its history 7 alone.
 * Then one process is killed at every change of every operation, the next one goes
 * on, and the power fails: `--handOvers 5` is one in five of these, 0 none.
 */
import { Effect } from "effect"
import * as Campaign from "./campaign.ts"
import * as Outage from "./power/outage.ts"

Campaign.main(
  "rig:power-loss",
  { histories: 16, first: 0, steps: 40, subsets: 4, every: 1, real: 50, again: 100, handOvers: 1 },
  (options) =>
    Effect.gen(function*() {
      const random = yield* Outage.run(options)
      const planned = yield* Outage.handOvers({ every: options.handOvers, crashes: options.every })
      return {
        findings: [...random.findings, ...planned.findings],
        counts: [
          `${random.calls + planned.calls} calls in ${options.histories} histories and ${planned.handOvers} hand-overs`,
          `${random.images + planned.images} images`,
          `${random.realImages} of them on a real disk too`,
          `${random.secondImages} more where the power failed again`
        ].join(", ")
      }
    })
)
