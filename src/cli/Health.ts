/**
 * Whether the place where sessions are kept is as it should be.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as NodeFs from "node:fs"
import * as Signer from "../services/Signer.ts"
import * as Backend from "./Backend.ts"
import type * as CliJson from "./CliJson.ts"
import * as Explain from "./Explain.ts"
import * as Printable from "./Printable.ts"
import * as Words from "./Words.ts"

/**
 * One thing that was looked at.
 *
 * @category models
 * @since 0.1.0
 */
export type Check = typeof CliJson.Doctor.Type["checks"][number]

/** A path as it can be typed in a shell. */
const typed = (path: string): string =>
  Printable.line(/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/** File systems that other machines write to, by their numbers: nobody can tell from here who is alive there. */
const sharedFileSystems = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"]
])

const statfs = (path: string) => Effect.option(Effect.tryPromise(() => NodeFs.promises.statfs(path)))

/** The nearest directory above that is there: what is missing will be created in it. */
const nearest: (directory: string) => Effect.Effect<string, never, FileSystem.FileSystem | Path.Path> = Effect
  .fnUntraced(function*(directory: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const parent = path.dirname(directory)
    if (parent === directory || (yield* Effect.orElseSucceed(fs.exists(directory), () => false))) return directory
    return yield* nearest(parent)
  })

/**
 * The directory: whether it can be used, and whether it is this machine's alone.
 *
 * @category checks
 * @since 0.1.0
 */
export const directory = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const there = yield* nearest(directory)
  const name = "directory"
  const canUse = yield* Effect.isSuccess(fs.access(there, { readable: true, writable: true }))
  if (!canUse) {
    const check: Check = {
      name,
      status: "failed",
      found: `${typed(there)} can't be read and written by you.`,
      next: `chmod u+rwx ${typed(there)}, or name another directory with --dir`
    }
    return check
  }
  const kind = Option.flatMapNullishOr(yield* statfs(there), ({ type }) => sharedFileSystems.get(type))
  const found = `${typed(directory)}${there === directory ? "" : " (is created with the first session)"}`
  const check: Check = Option.match(kind, {
    onNone: () => ({ name, status: "ok", found }),
    onSome: (kind) => ({
      name,
      status: "warning",
      found: `${found} is on ${kind}, where nobody can tell from here who runs a session.`,
      next: "Keep sessions on a disk of this machine: --dir DIR, or REPRISE_DIR"
    })
  })
  return check
})

/**
 * Who else may read what is stored.
 *
 * @category checks
 * @since 0.1.0
 */
export const permissions = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const name = "permissions"
  const info = yield* Effect.option(fs.stat(directory))
  const check: Check = Option.match(info, {
    onNone: () => ({ name, status: "ok", found: "Files are created with 0600 and directories with 0700." }),
    onSome: ({ mode, type, uid }) => {
      const bits = (mode & 0o777).toString(8).padStart(4, "0")
      if (type !== "Directory") {
        return {
          name,
          status: "failed",
          found: `${typed(directory)} is not a directory.`,
          next: "Move it away, or name another directory with --dir"
        }
      }
      if (process.getuid !== undefined && Option.isSome(uid) && uid.value !== process.getuid()) {
        return {
          name,
          status: "failed",
          found: `It belongs to user ${uid.value}, and you are ${process.getuid()}.`,
          next: `sudo chown -R ${process.getuid()} ${typed(directory)}, or name another directory with --dir`
        }
      }
      return (mode & 0o077) === 0
        ? { name, status: "ok", found: `${bits}, nobody else can read it.` }
        : { name, status: "warning", found: `${bits}, others can look into it.`, next: `chmod 700 ${typed(directory)}` }
    }
  })
  return check
})

/**
 * The key ring. It is opened only where it is there, so nothing is created.
 *
 * @category checks
 * @since 0.1.0
 */
export const key = Effect.fnUntraced(function*(directory: string, hasSessions: boolean) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const name = "key"
  const beside = path.dirname(directory)
  // Each rotation writes the next generation: `keyring.2.json`.
  const names = (yield* Effect.orElseSucceed(fs.readDirectory(beside), () => []))
    .filter((name) => /^keyring(\.\d+)?\.json$/.test(name))
  const file = path.join(beside, names.at(-1) ?? "keyring.json")
  if (names.length === 0) {
    const check: Check = hasSessions
      ? {
        name,
        status: "failed",
        found: `${typed(file)} is missing, and stored sessions are signed with its keys.`,
        next: "Put it back from a backup: without it sessions can't be believed"
      }
      : { name, status: "ok", found: `${typed(file)} (is created with the first session)` }
    return check
  }
  const opened = Effect.map(Signer.Signer, ({ current, encrypts, ids }): Check => ({
    name,
    status: "ok",
    found: `${typed(file)}, ${Words.count(ids.length, "key")}, ${current} signs${
      encrypts === true ? " and encrypts" : ". Encryption is off: reprise keys encrypt turns it on"
    }.`
  }))
  const { sessions } = yield* Backend.Backend
  return yield* Effect.catch(Effect.provide(opened, sessions({ _tag: "Files", directory }, {})), (error) => {
    const { next, why } = Explain.explain(error)
    const isOpen = why.includes("chmod")
    return Effect.succeed<Check>({
      name,
      status: "failed",
      found: why,
      next: isOpen ? `chmod 600 ${typed(file)} && reprise keys rotate` : next
    })
  })
})

const low = 100 * 1024 * 1024

/**
 * How much room there is on the disk.
 *
 * @category checks
 * @since 0.1.0
 */
export const space = Effect.fnUntraced(function*(directory: string) {
  const name = "space"
  const info = yield* statfs(yield* nearest(directory))
  const check: Check = Option.match(info, {
    onNone: () => ({ name, status: "ok", found: "This platform does not tell." }),
    onSome: ({ bavail, bsize }) => {
      const free = bavail * bsize
      const found = `${Words.size(free)} free`
      return free >= low
        ? { name, status: "ok", found }
        : { name, status: "warning", found, next: "Make room: reprise cleanup --older-than 30d" }
    }
  })
  return check
})
