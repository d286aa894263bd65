/** What a run ran on. */
import { Schema } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"

export const Machine = Schema.Struct({
  node: Schema.String,
  cpu: Schema.String,
  cores: Schema.Int,
  memory: Schema.String,
  platform: Schema.String,
  directory: Schema.String,
  fileSystem: Schema.String,
  load: Schema.Finite
})
export type Machine = typeof Machine.Type

/** The kind of file system a directory is on, as the longest mount point above it tells. */
const fileSystemOf = (directory: string): string => {
  if (!NodeFs.existsSync("/proc/self/mounts")) return "unknown"
  const mounts = NodeFs.readFileSync("/proc/self/mounts", "utf8").split("\n").flatMap((line) => {
    const [, point, kind] = line.split(" ")
    return point !== undefined && kind !== undefined && `${directory}/`.startsWith(point === "/" ? "/" : `${point}/`)
      ? [{ point, kind }]
      : []
  })
  // Of two at the same point the later one hides the other.
  return mounts.toReversed().toSorted((one, other) => other.point.length - one.point.length)[0]?.kind ?? "unknown"
}

export const describe = (directory: string): Machine => ({
  node: process.version,
  cpu: NodeOs.cpus()[0]?.model ?? "unknown",
  cores: NodeOs.availableParallelism(),
  memory: `${Math.round(NodeOs.totalmem() / 2 ** 30)} GiB`,
  platform: `${NodeOs.type()} ${NodeOs.release()} ${NodeOs.arch()}`,
  directory,
  fileSystem: fileSystemOf(directory),
  load: NodeOs.loadavg()[0] ?? 0
})
