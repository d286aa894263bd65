/**
 * Interrupts operations at every step at which their fibers could yield, and
 * while each file-system call is under way; looks at what is left each time.
 *
 * `npm run rig:interruptions [-- --every 5 --seed 7]`
 */
import { Effect } from "effect"
import * as Campaign from "./campaign.ts"
import * as EveryYield from "./trials/every-yield.ts"

Campaign.main(
  "rig:interruptions",
  { every: 1 },
  ({ every }) =>
    Effect.map(EveryYield.run({ every }), ({ findings, interrupted, operations, steps, trials }) => ({
      findings,
      counts: `${operations} operations, ${steps} steps, ${trials} trials, ${interrupted} of which were interrupted`
    }))
)
