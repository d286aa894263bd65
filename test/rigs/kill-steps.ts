/**
 * Kills a real process before and after every file-system call of every
 * operation, until no call is left, and looks at what it leaves.
 *
 * `npm run rig:kill-steps [-- --every 5]`
 */
import { Effect } from "effect"
import * as Aftermath from "./aftermath.ts"
import * as Campaign from "./campaign.ts"

Campaign.main("rig:kill-steps", { every: 1 }, ({ every }) =>
  Effect.map(Aftermath.killAtEveryStep({ every }), ({ findings, kills }) => ({ findings, counts: `${kills} kills` })))
