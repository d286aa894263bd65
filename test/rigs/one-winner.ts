/**
 * One winner, and former holders that change nothing: processes that resume a
 * session at one instant, that sleep (SIGSTOP) at every file-system call while
 * others take over, that are killed while others wait, and claimants that are
 * held up between every two of their calls.
 *
 * `npm run rig:one-winner [-- --rounds 500 --processes 8 --every 1 --deaths 200 --shuffles 200 --seed 1]`
 */
import * as Campaign from "./campaign.ts"
import * as Everything from "./winner/everything.ts"

Campaign.main("rig:one-winner", { rounds: 500, processes: 8, every: 1, deaths: 200, shuffles: 200 }, Everything.run)
