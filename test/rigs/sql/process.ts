/** What a process that a rig spawns runs on where the store is a database. */
import * as Layer from "effect/Layer"
import { ProjectDirectory, ResumeLimit, Supervisor } from "../../../src/index.ts"
import { NodeSessions } from "../../../src/node/index.ts"
import { SqlSessionStore } from "../../../src/sql/index.ts"
import * as TestSessions from "../../../src/testing/TestSessions.ts"
import * as Postgres from "../../suites/postgres.ts"
import * as Broken from "./broken.ts"
import * as Database from "./database.ts"
import * as Statements from "./statements.ts"

export const layer = (
  root: string,
  options: { readonly mutant?: string | undefined; readonly hook?: Statements.Hook | undefined } = {}
) => {
  const database = Database.fromRoot(root)
  const client = Postgres.layerClient(database, {
    maxConnections: 3,
    settings: { application_name: Database.nameOf(process.pid) }
  })
  return Layer.mergeAll(
    SqlSessionStore.layer({ leaseFor: database.leaseFor }),
    ProjectDirectory.layerNone,
    Supervisor.layer,
    TestSessions.layerSigner,
    ResumeLimit.layerOff
  ).pipe(
    Layer.provideMerge(NodeSessions.layerPlatform),
    Layer.provide(Statements.layer(options.hook ?? Statements.unseen, Broken.rewriteOf(options.mutant))),
    Layer.provide(client)
  )
}
