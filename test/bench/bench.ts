/**
 * What the operations cost, against the least that they can cost, measured in
 * the same process and the same run.
 *
 * `npm run bench [-- --only load,append --directory /disk --json FILE --seed 1]`
 */
import { NodeRuntime } from "@effect/platform-node"
import * as Run from "./run.ts"

NodeRuntime.runMain(Run.main)
