/**
 * Plays seeded random histories (operations, faults, deaths, clock steps, races)
 * on the library over memory and compares it with a small model. A history has
 * the seed that its finding names: `--seed <that> --histories 1` plays it again.
 *
 * `npm run rig:model-check [-- --histories 1000 --commands 30]`
 */
import * as Campaign from "./campaign.ts"
import * as Check from "./model/check.ts"

Campaign.main("rig:model-check", { histories: 5000, commands: 30 }, Check.run)
