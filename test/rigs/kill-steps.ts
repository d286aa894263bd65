/**
 * Kills a real process before and after every file-system call of every
 * operation, until no call is left, and looks at what it leaves.
 *
 * `npm run rig:kill-steps [-- --every 5]`
 */
import * as Campaign from "./campaign.ts"
import * as KillStep from "./kills/kill-step.ts"

Campaign.main("rig:kill-steps", { every: 1 }, ({ every }) => KillStep.killAtEveryStep({ every }))
