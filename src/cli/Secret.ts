/**
 * A secret in a file, for exports and imports.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Printable from "./Printable.ts"
import * as Where from "./Where.ts"

/**
 * The bytes of a secret file, as they are.
 *
 * @category reading
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(file: Option.Option<string>) {
  if (Option.isNone(file)) return {}
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const bytes = yield* Effect.mapError(fs.readFile(path.resolve(cwd, file.value)), ({ reason }) =>
    new Failure({
      kind: "NoSecret",
      exitCode: ExitCode.failed,
      what: "The secret was not read.",
      why: Printable.line(`${file.value}: ${reason._tag}.`),
      next: "Name a file that you can read: --secret-file FILE"
    }))
  return { secret: Redacted.make(bytes) }
})
