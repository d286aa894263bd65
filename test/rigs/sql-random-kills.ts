/**
 * Kills real processes at random moments of a random life on a PostgreSQL, and
 * judges what they and others did and saw. The seed replays what each does and
 * how long it is left to do it; where exactly that ends, the machine decides.
 *
 * `npm run rig:sql-random-kills [-- --kills 100] [--store 3]`
 */
import { Effect } from "effect"
import * as PostgresServer from "../suites/postgres-server.ts"
import * as Campaign from "./campaign.ts"
import * as RandomKill from "./kills/random-kill.ts"
import * as SqlGround from "./sql/ground.ts"

const all = -1

Campaign.main(
  "rig:sql-random-kills",
  { kills: 1000, store: all },
  ({ kills, store }) =>
    Effect.flatMap(
      PostgresServer.start(),
      ({ url }) =>
        RandomKill.killAtRandom({ kills, store: store === all ? undefined : store, ground: SqlGround.make(url) })
    )
)
