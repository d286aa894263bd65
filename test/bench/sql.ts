/**
 * What claims and appends cost in PostgreSQL, against a bare INSERT and COMMIT of
 * the same bytes on the same connection; and what a page of a list costs with so
 * many sessions.
 *
 * `npm run bench:sql [-- --sessions 1000,100000,1000000 --only list --rounds 15 --json FILE]`;
 * `REPRISE_TEST_PG` names another server than one of its own
 */
import { NodeRuntime } from "@effect/platform-node"
import * as Run from "./sql/run.ts"

NodeRuntime.runMain(Run.main)
