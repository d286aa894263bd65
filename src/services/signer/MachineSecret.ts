/**
 * A key ring in a file of this machine, created once.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../../core/Json.ts"
import { StoreError } from "../../core/SessionError.ts"
import * as Text from "../../core/Text.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import type { Hmac } from "../Hmac.ts"
import { Liveness } from "../Liveness.ts"
import { now } from "../Now.ts"
import * as Files from "../store/Files.ts"
import * as Layout from "../store/Layout.ts"
import { sweepPrivate } from "../store/Leftovers.ts"
import type { Key } from "./Keys.ts"
import * as Keys from "./Keys.ts"

const KeyFile = Schema.Struct({
  version: Schema.Literal(1),
  keys: Schema.Array(Schema.Struct({ id: Schema.String, secret: Schema.String, createdAt: Timestamp.Timestamp }))
})

const maxBytes = 64 * 1024

const unusable = (file: string, description: string) =>
  PlatformError.systemError({
    _tag: "InvalidData",
    module: "FileSystem",
    method: "readFile",
    pathOrDescriptor: file,
    description
  })

const make = Effect.fnUntraced(function*(options: { readonly file: string; readonly sessions: string }) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const random = yield* SecureRandom.SecureRandom
  const liveness = yield* Liveness
  const files = Files.make(fs)
  const file = path.resolve(options.file)
  const directory = path.dirname(file)

  const keysIn = (bytes: Uint8Array): Option.Option<ReadonlyArray<Key>> =>
    Text.fromBytes(bytes).pipe(
      Option.flatMap((text) => Result.getSuccess(Json.parse(text))),
      Option.filter(Schema.is(KeyFile)),
      Option.flatMap(({ keys }) =>
        Result.getSuccess(Result.all(keys.map(({ id, secret }) =>
          Result.map(Base64Url.decode(secret), (bytes): Key => ({ id, secret: Redacted.make(bytes) }))
        )))
      )
    )

  const read = Effect.gen(function*() {
    const { bytes, info } = yield* Effect.catchTag(
      files.read(file, maxBytes),
      "TooLarge",
      () => Effect.fail(unusable(file, "is too large for a key ring"))
    )
    if ((info.mode & 0o077) !== 0) {
      return yield* unusable(file, "can be read by others: chmod 600 it, and rotate its keys")
    }
    return yield* Effect.fromOption(keysIn(bytes), () => unusable(file, "is not a key ring: restore it from a backup"))
  })

  const hasSessions = files.names(options.sessions).pipe(
    Effect.map((names) => names.some((name) => Layout.kind(name)._tag === "Session")),
    Effect.catchIf(Files.isMissing, () => Effect.succeed(false))
  )

  /** What first runs that were killed left beside the file. */
  const sweep = sweepPrivate({ files, liveness, path }, directory)

  /** Links a complete, synced file to the name: one of all first runs wins. */
  const create = Effect.gen(function*() {
    const id = (yield* random.uuidV4()).slice(0, 8)
    const secret = Base64Url.encode(yield* random.randomBytes(Keys.minimumSecretBytes))
    const createdAt = yield* now
    const content: typeof KeyFile.Type = { version: 1, keys: [{ id, secret, createdAt }] }
    const nonce = yield* random.uuidV4()
    const prepared = path.join(directory, Layout.privateName("creating", liveness.self, nonce))
    liveness.held.add(nonce)
    yield* files.ensureDirectory(path, directory)
    yield* sweep
    yield* files.write(prepared, Text.toBytes(`${JSON.stringify(content)}\n`)).pipe(
      Effect.andThen(files.link(prepared, file)),
      Effect.catchIf(Files.isPresent, () => Effect.void),
      Effect.ensuring(files.removeQuietly(prepared)),
      Effect.ensuring(Effect.sync(() => liveness.held.delete(nonce)))
    )
  }).pipe(Effect.uninterruptible)

  const missing = Effect.gen(function*() {
    // Sessions first, the file again after: a first run elsewhere makes the file before any session.
    const isLater = yield* hasSessions
    const there = yield* fs.exists(file)
    if (there) return
    if (isLater) {
      return yield* unusable(file, "is missing, and stored sessions are signed with its keys: restore it from a backup")
    }
    yield* create
  })

  const keys = yield* read.pipe(
    Effect.tap(sweep),
    Effect.catchIf(Files.isMissing, () => Effect.andThen(missing, read)),
    // Whoever linked the file may not have come as far as this.
    Effect.tap(files.syncDirectory(directory)),
    Effect.catchTag("PlatformError", (cause) => new StoreError({ operation: "opening the key ring", cause }))
  )
  return yield* Keys.make(keys)
})

/**
 * A key ring in `file`, created with one random key when there is none and no
 * session is stored below `sessions` yet.
 *
 * **Details**
 *
 * Any number of first runs at once end with one key. The file has mode 0600. A
 * file that is missing later, too short, not a key ring or open to others is a
 * `StoreError`, and nothing is changed.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly file: string; readonly sessions: string }): Layer.Layer<
  Keys.Signer,
  StoreError,
  FileSystem.FileSystem | Path.Path | SecureRandom.SecureRandom | Hmac | Liveness
> => Layer.effect(Keys.Signer, make(options))
