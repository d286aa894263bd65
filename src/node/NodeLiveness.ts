/**
 * Who this process is and who still lives, as Linux tells it in `/proc`.
 * Elsewhere a process is alive while its number is taken: a number that was
 * given again passes for its former owner, and needs `takeOver`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import type { Holder } from "../core/Holder.ts"
import { Liveness, type Verdict } from "../services/Liveness.ts"

/** A file of `/proc`; `undefined` where there is none, `unreadable` where that can't be told. */
const read = (path: string): string | undefined | typeof unreadable => {
  try {
    return NodeFs.readFileSync(path, "utf8")
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")
    return isGone ? undefined : unreadable
  }
}

const unreadable = Symbol("unreadable")

const pidNamespace = (): string => {
  try {
    return NodeFs.readlinkSync("/proc/self/ns/pid")
  } catch {
    return ""
  }
}

/** State and start time of a process: the fields after its name, which may hold anything. */
const processFacts = (
  pid: number | "self"
): { readonly state: string; readonly startTime: string } | undefined | typeof unreadable => {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined || stat === unreadable) return stat
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const startTime = fields[18]
  return state === undefined || startTime === undefined ? unreadable : { state, startTime }
}

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

const bootId = read("/proc/sys/kernel/random/boot_id")
const ownFacts = processFacts("self")

const self: Holder = {
  host: NodeOs.hostname(),
  bootId: typeof bootId === "string" ? bootId.trim() : "",
  pidNamespace: pidNamespace(),
  pid: process.pid,
  startTime: typeof ownFacts === "object" ? ownFacts.startTime : ""
}

declare global {
  /** One set for the whole process, however many layers and copies of this module it has. */
  var effectRepriseHeldLeases: Set<string> | undefined
}

const heldOfProcess = (): Set<string> => globalThis.effectRepriseHeldLeases ??= new Set()

const judge = (held: Set<string>, { holder, nonce }: { readonly holder: Holder; readonly nonce: string }): Verdict => {
  if (holder.host !== self.host) return "unknown"
  if (holder.bootId !== self.bootId) return "dead"
  if (holder.pidNamespace !== self.pidNamespace) return "unknown"
  if (holder.pid === self.pid && holder.startTime === self.startTime) return held.has(nonce) ? "alive" : "dead"
  if (self.startTime === "") return exists(holder.pid) ? "alive" : "dead"
  const facts = processFacts(holder.pid)
  if (facts === unreadable) return "unknown"
  const isGone = facts === undefined || facts.startTime !== holder.startTime || facts.state === "Z" ||
    facts.state === "X"
  return isGone ? "dead" : "alive"
}

/**
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Liveness> = Layer.sync(Liveness, () => {
  const held = heldOfProcess()
  return Liveness.of({ self, held, judge: (lease) => Effect.sync(() => judge(held, lease)) })
})
