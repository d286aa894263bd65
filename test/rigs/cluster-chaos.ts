/**
 * Sessions that append while their runners are killed, suspended, drained and
 * started again, and the database crashes once: every acknowledged message is
 * there once and in order, and no session runs twice.
 *
 * `npm run cluster:chaos [-- --seconds 30 --sessions 200 --runners 3 --seed 1]`
 */
import * as Campaign from "./campaign.ts"
import * as Storm from "./chaos/storm.ts"

Campaign.main("cluster:chaos", { seconds: 30, sessions: 200, runners: 3 }, Storm.run)
