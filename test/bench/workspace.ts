/** A directory to measure in. */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"

/** Makes one below the directory, and deletes it at the end. */
export const make = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(directory, "reprise-bench-")))),
    (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
  )
