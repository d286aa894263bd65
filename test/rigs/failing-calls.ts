/**
 * Fails every file-system call of every operation with every error code, and
 * samples pairs of failures; looks at what is left each time.
 *
 * `npm run rig:failing-calls [-- --every 5 --pairs 300 --seed 7]`
 */
import { Effect } from "effect"
import * as Campaign from "./campaign.ts"
import * as EveryFailure from "./trials/every-failure.ts"

Campaign.main(
  "rig:failing-calls",
  { every: 1, pairs: 60 },
  ({ every, pairs }) =>
    Effect.map(EveryFailure.run({ every, pairs }), ({ calls, failed, findings, operations, trials }) => ({
      findings,
      counts: `${operations} operations, ${calls} calls, ${trials} trials, ${failed} of which failed`
    }))
)
