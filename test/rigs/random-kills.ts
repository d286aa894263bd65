/**
 * Kills real processes at random moments of a random life, and judges what they
 * and others did and saw. The seed replays what each does and how long it is
 * left to do it; where exactly that ends, the machine decides.
 *
 * `npm run rig:random-kills [-- --kills 100] [--store 3]`
 */
import * as Campaign from "./campaign.ts"
import * as RandomKill from "./kills/random-kill.ts"

const all = -1

Campaign.main(
  "rig:random-kills",
  { kills: 2000, store: all },
  ({ kills, store }) => RandomKill.killAtRandom({ kills, store: store === all ? undefined : store })
)
