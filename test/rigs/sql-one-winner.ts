/**
 * One winner, and former holders that change nothing, on a PostgreSQL: processes
 * that resume a session at one instant, that sleep (SIGSTOP) at every statement
 * while others take over, that are killed between two statements while others
 * wait, and holders that sleep for longer than their lease.
 *
 * `npm run rig:sql-one-winner [-- --rounds 500 --processes 8 --every 1 --deaths 200 --lapses 100 --seed 1]`
 */
import * as Campaign from "./campaign.ts"
import * as Everything from "./sql/everything.ts"

Campaign.main("rig:sql-one-winner", { rounds: 500, processes: 8, every: 1, deaths: 200, lapses: 100 }, Everything.run)
