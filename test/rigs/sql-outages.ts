/**
 * Ends a PostgreSQL without a last word, again and again, while sessions in it are
 * appended to, and looks for what was acknowledged.
 *
 * `npm run rig:sql-outages [-- --outages 200 --sessions 8 --seed 1]`
 */
import { Effect } from "effect"
import * as PostgresServer from "../suites/postgres-server.ts"
import * as Campaign from "./campaign.ts"
import * as Outages from "./sql/outages.ts"

Campaign.main("rig:sql-outages", { outages: 200, sessions: 8 }, (options) =>
  Effect.gen(function*() {
    const server = yield* PostgresServer.start({ isDurable: true })
    const { acknowledged, findings, refused } = yield* Outages.outages({ ...options, server })
    return {
      counts: `${options.outages} outages, ${acknowledged} messages acknowledged and ${refused} refused`,
      findings
    }
  }))
