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
import * as Order from "effect/Order"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../../core/Json.ts"
import { StoreError } from "../../core/SessionError.ts"
import * as Text from "../../core/Text.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import { Hmac } from "../Hmac.ts"
import { Liveness } from "../Liveness.ts"
import { now } from "../Now.ts"
import * as FileError from "../store/FileError.ts"
import * as Files from "../store/Files.ts"
import * as Layout from "../store/Layout.ts"
import { sweepPrivate } from "../store/Leftovers.ts"
import * as Keys from "./Keys.ts"

const KeyFile = Schema.Struct({
  version: Schema.Literal(1),
  encrypts: Schema.optionalKey(Schema.Boolean),
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

/**
 * Where the key ring is, and the sessions that it is for. With `encrypts` it says
 * from now on that they are encrypted, and nothing takes that back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly file: string
  readonly sessions: string
  readonly encrypts?: boolean
}

const make = Effect.fnUntraced(function*(options: Options) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const random = yield* SecureRandom.SecureRandom
  const liveness = yield* Liveness
  const hmac = yield* Hmac
  const files = Files.make(fs)
  const file = path.resolve(options.file)
  const directory = path.dirname(file)
  const extension = path.extname(file)
  const stem = path.basename(file, extension)

  /** The first generation has the name that was given, later ones a number in it. */
  const fileOf = (generation: number): string =>
    generation === 1 ? file : path.join(directory, `${stem}.${generation}${extension}`)

  const generationOf = (name: string): number => {
    if (name === path.basename(file)) return 1
    const number = name.startsWith(`${stem}.`) && name.endsWith(extension)
      ? name.slice(stem.length + 1, name.length - extension.length)
      : ""
    return /^[1-9]\d{0,8}$/.test(number) ? Number(number) : 0
  }

  /** The generations that are there, highest last: that one counts. */
  const generations = files.names(directory).pipe(
    Effect.catchIf(FileError.isMissing, () => Effect.succeed<Array<string>>([])),
    Effect.map((names) => names.map(generationOf).filter((generation) => generation > 0).sort(Order.Number))
  )

  const read = Effect.fnUntraced(function*(generation: number) {
    const file = fileOf(generation)
    const { bytes, version } = yield* Effect.catchTag(
      files.read(file, maxBytes),
      "TooLarge",
      () => Effect.fail(unusable(file, "is too large for a key ring"))
    )
    if ((version.mode & 0o077) !== 0) {
      return yield* unusable(file, "can be read by others: chmod 600 it, and rotate its keys")
    }
    const content = yield* Effect.fromOption(
      contentOf(bytes),
      () => unusable(file, "is not a key ring: restore it from a backup")
    )
    return { generation, ...content }
  })

  /** The generation that counts. One that went while it was read was followed by the next. */
  const newest = Effect.gen(function*() {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const last = (yield* generations).at(-1)
      if (last === undefined) break
      const content = yield* Effect.catchIf(Effect.asSome(read(last)), FileError.isMissing, () => Effect.succeedNone)
      if (Option.isSome(content)) return content.value
    }
    return yield* read(1)
  })

  const hasSessions = files.names(options.sessions).pipe(
    Effect.map((names) => names.some((name) => Layout.kind(name)._tag === "Session")),
    Effect.catchIf(FileError.isMissing, () => Effect.succeed(false))
  )

  /** What processes that were killed left beside the file. */
  const sweep = sweepPrivate({ files, liveness, path }, directory)

  /** Links a complete, synced file to a generation's name: one of all that try wins. */
  const put = Effect.fnUntraced(function*(generation: number, before: Pick<typeof KeyFile.Type, "encrypts" | "keys">) {
    const encrypts = before.encrypts === true || options.encrypts === true
    const id = (yield* random.uuidV4()).slice(0, 8)
    const secret = Base64Url.encode(yield* random.randomBytes(Keys.minimumSecretBytes))
    const createdAt = yield* now
    const content: typeof KeyFile.Type = {
      version: 1,
      ...(encrypts ? { encrypts } : {}),
      keys: [{ id, secret, createdAt }, ...before.keys]
    }
    const nonce = yield* random.uuidV4()
    const prepared = path.join(directory, Layout.privateName("creating", liveness.self, nonce))
    liveness.held.add(nonce)
    yield* files.ensureDirectory(path, directory)
    yield* sweep
    return yield* files.write(prepared, Text.toBytes(`${JSON.stringify(content)}\n`)).pipe(
      Effect.andThen(files.link(prepared, fileOf(generation))),
      Effect.as(true),
      Effect.catchIf(FileError.isPresent, () => Effect.succeed(false)),
      Effect.ensuring(files.removeQuietly(prepared)),
      Effect.ensuring(Effect.sync(() => liveness.held.delete(nonce)))
    )
  })

  const missing = Effect.gen(function*() {
    // Sessions first, the file again after: a first run elsewhere makes the file before any session.
    const isLater = yield* hasSessions
    if ((yield* generations).length > 0) return
    if (isLater) {
      return yield* unusable(file, "is missing, and stored sessions are signed with its keys: restore it from a backup")
    }
    yield* put(1, { keys: [] })
  })

  const open = newest.pipe(
    Effect.tap(sweep),
    Effect.catchIf(FileError.isMissing, () => Effect.andThen(missing, newest)),
    // Whoever linked the file may not have come as far as this.
    Effect.tap(files.syncDirectory(directory))
  )

  /**
   * The next generation, one key longer. A number that was used and deleted
   * meanwhile is no win, so it is looked at again.
   */
  const grow = Effect.gen(function*() {
    const { content, generation } = yield* newest
    if (!(yield* put(generation + 1, content))) return false
    yield* files.syncDirectory(directory)
    const found = yield* generations
    const isLast = found.at(-1) === generation + 1
    const gone = isLast ? found.filter((earlier) => earlier <= generation) : [generation + 1]
    yield* Effect.forEach(gone, (earlier) => files.removeQuietly(fileOf(earlier)), { discard: true })
    return isLast
  }).pipe(Effect.repeat({ until: (hasWon) => hasWon, times: attempts }))

  const failsIn = (operation: string) => <A, E>(effect: Effect.Effect<A, E | PlatformError.PlatformError>) =>
    Effect.catchIf(
      effect,
      (error): error is PlatformError.PlatformError => PlatformError.isPlatformError(error),
      (cause) => Effect.fail(new StoreError({ operation, cause }))
    )

  const keyRingOf = ({ content, keys }: Effect.Success<typeof newest>) =>
    Effect.map(Effect.provideService(Keys.keyRing(keys), Hmac, hmac), (ring) => ({
      ...ring,
      encrypts: content.encrypts === true
    }))

  const opened = Effect.gen(function*() {
    const found = yield* open
    if (options.encrypts !== true || found.content.encrypts === true) return found
    yield* Effect.uninterruptible(grow)
    return yield* newest
  })

  let ring = yield* opened.pipe(Effect.flatMap(keyRingOf), failsIn("opening the key ring"))

  const refresh = newest.pipe(
    Effect.flatMap(keyRingOf),
    Effect.map((next) => {
      const isNew = next.ids.join() !== ring.ids.join()
      ring = next
      return isNew
    }),
    failsIn("reading the key ring")
  )

  return Keys.Signer.of({
    get current() {
      return ring.current
    },
    get ids() {
      return ring.ids
    },
    get encrypts() {
      return ring.encrypts
    },
    mac: (keyId) => ring.mac(keyId),
    refresh,
    addKey: grow.pipe(
      Effect.uninterruptible,
      failsIn("adding a key"),
      Effect.andThen(refresh),
      Effect.map(() => ring.current)
    )
  })
})

/** How often a race for the next generation is run again before it is given up. */
const attempts = 100

const contentOf = (bytes: Uint8Array) =>
  Text.fromBytes(bytes).pipe(
    Option.flatMap((text) => Result.getSuccess(Json.parse(text))),
    Option.filter(Schema.is(KeyFile)),
    Option.flatMap((content) =>
      Option.map(
        Result.getSuccess(
          Result.all(
            content.keys.map(({ id, secret }) =>
              Result.map(Base64Url.decode(secret), (bytes): Keys.Key => ({ id, secret: Redacted.make(bytes) }))
            )
          )
        ),
        (keys) => ({ content, keys })
      )
    )
  )

/**
 * A key ring in `file`, created with one random key when there is none and no
 * session is stored below `sessions` yet.
 *
 * **Details**
 *
 * Any number of first runs at once end with one key. The file has mode 0600.
 * `addKey` writes the next generation beside it (`keyring.2.json`), with all its
 * keys, and then deletes it: the highest generation counts. So does `encrypts`, where
 * the file does not say yet that its sessions are encrypted. A file that is missing later, too short, not a key ring or open to others is a
 * `StoreError`, and nothing is changed.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<
  Keys.Signer,
  StoreError,
  FileSystem.FileSystem | Path.Path | SecureRandom.SecureRandom | Hmac | Liveness
> => Layer.effect(Keys.Signer, make(options))
