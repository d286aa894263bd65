/**
 * Imports the library, loads a session if one is named, and tells how much
 * memory the process had at most, in KiB: `peak.ts [<sessions> <id>]`.
 */
import { Effect } from "effect"
import { SessionId, SessionLimits, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import * as NodeFs from "node:fs"

/** Of this process alone: `maxRSS` begins with what the process had that started it. */
const peak = (): number => {
  const status = "/proc/self/status"
  const own = NodeFs.existsSync(status)
    ? /^VmHWM:\s+(\d+) kB$/m.exec(NodeFs.readFileSync(status, "utf8"))?.[1]
    : undefined
  return own === undefined ? process.resourceUsage().maxRSS : Number(own)
}

const [directory, id] = process.argv.slice(2)
if (directory !== undefined && id !== undefined) {
  await Effect.runPromise(
    Sessions.load(SessionId.make(id)).pipe(
      Effect.provide(NodeSessions.layer({ directory })),
      Effect.provideService(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxBytes: 32 * 1024 * 1024 })
    )
  )
}
console.log(peak())
