/** Where a rig's store and project are, below one directory. */
import type { Session } from "../../src/index.ts"

export const config: Session.SessionConfig = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }

export const below = (root: string) => ({
  root,
  project: `${root}/project`,
  sessions: `${root}/sessions`,
  keyFile: `${root}/keyring.json`
})
