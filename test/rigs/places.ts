/** Where a rig's store and project are, below one directory. */
import type { Session } from "../../src/index.ts"
import * as Database from "./sql/database.ts"

export const config: Session.SessionConfig = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }

/** A database has no place for projects: they need not exist. */
export const below = (root: string) => ({
  root,
  project: Database.isRoot(root) ? "/rig/project" : `${root}/project`,
  sessions: `${root}/sessions`,
  keyFile: `${root}/keyring.json`
})
