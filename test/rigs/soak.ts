/**
 * Resumes, adds to and closes sessions in one process, again and again, and
 * looks at what it holds: descriptors, leases, memory, files.
 *
 * `npm run rig:soak [-- --cycles 100]`
 */
import * as Campaign from "./campaign.ts"
import * as Soaking from "./kills/soaking.ts"

Campaign.main("rig:soak", { cycles: 10_000 }, ({ cycles }) => Soaking.soak({ cycles }))
