/**
 * Format versions, and the pure steps that lead from one to the next.
 *
 * **Details**
 *
 * A step knows one version and the next and nothing else, so it is written once
 * and never touched again. Stored files are migrated when they are loaded, in
 * memory; the next publish writes the present version, beside the original.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { JsonObject } from "./Json.ts"
import type { Answer, Change, Migrated, Step } from "./MigrationStep.ts"
import { SchemaVersion } from "./SessionError.ts"
import * as Version1 from "./Version1.ts"

/**
 * A format: the version that is written, and the steps from the older ones, in
 * order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Format {
  readonly version: number
  readonly steps: ReadonlyArray<Step>
}

const asItIs = (document: JsonObject): Answer => Result.succeed({ document, changes: [] })

/** Version 1 is the format of another program: it comes in by an import and is never in a store. */
const fromVersion1: Step = { from: 1, document: Version1.toVersion2, head: asItIs, event: asItIs }

/**
 * The format of this program.
 *
 * @category constants
 * @since 0.1.0
 */
export const current: Format = { version: 2, steps: [fromVersion1] }

/**
 * The oldest version that stored files can have.
 *
 * @category constants
 * @since 0.1.0
 */
export const oldestStored = 2

/**
 * @category errors
 * @since 0.1.0
 */
export const unsupported = (id: string, format: Format, found: JsonObject[string] | undefined): SchemaVersion =>
  new SchemaVersion({ id, supported: format.version, ...(found === undefined ? {} : { found }) })

/**
 * The version that a document says it has, if it is one that can be read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const versionOf = (
  id: string,
  format: Format,
  document: JsonObject,
  oldest: number = oldestStored
): Result.Result<number, SchemaVersion> => {
  const found = Object.hasOwn(document, "version") ? document["version"] : undefined
  return typeof found === "number" && Number.isInteger(found) && found >= oldest && found <= format.version
    ? Result.succeed(found)
    : Result.fail(unsupported(id, format, found))
}

/**
 * Takes the JSON of version `from` to the version that is written, step by step.
 *
 * @category migrating
 * @since 0.1.0
 */
export const migrate = (
  id: string,
  format: Format,
  from: number,
  input: JsonObject,
  kind: "document" | "head" | "event" = "document"
): Result.Result<Migrated, SchemaVersion> =>
  Result.gen(function*() {
    let document = input
    const changes: Array<Change> = []
    for (let version = from; version < format.version; version++) {
      const failed = (cause: string) => new SchemaVersion({ id, found: from, supported: format.version, cause })
      const step = format.steps.find((step) => step.from === version)
      if (step === undefined) return yield* Result.fail(failed(`there is no step from version ${version}`))
      const migrated = yield* Result.mapError(step[kind](document), failed)
      document = kind === "event" ? migrated.document : { ...migrated.document, version: version + 1 }
      changes.push(...migrated.changes)
    }
    return { document, changes }
  })
