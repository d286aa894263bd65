/**
 * Swaps projects, directories, files and pending names with links, FIFOs and
 * directories in another process while sessions are created, resumed, changed
 * and closed.
 *
 * `npm run race [-- --seconds 60 --seed 1]`
 */
import { Effect } from "effect"
import * as Campaign from "../rigs/campaign.ts"
import * as Contest from "./races/contest.ts"

const targets = ["project", "directory", "file", "pending"] as const

/** A target is left out with 0 (`--directory 0`); `--synchronous 1` makes calls of the file system at once. */
const choices = { project: 1, directory: 1, file: 1, pending: 1, synchronous: 0 }

Campaign.main("race", { seconds: 60, ...choices }, ({ seconds, synchronous, ...options }) =>
  Effect.map(
    Contest.run({
      milliseconds: seconds * 1000,
      synchronous: synchronous !== 0,
      targets: targets.filter((target) => options[target] !== 0)
    }),
    ({ counts, findings, outcomes }) => ({
      counts: `${Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ")} (${
        [...outcomes].map(([name, count]) => `${name} ${count}`).join(", ")
      })`,
      findings
    })
  ))
