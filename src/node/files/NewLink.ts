/**
 * A new file that is given a name which must be free, and what is in its directory
 * then: in one go, on node's threads or at once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import { promisify } from "node:util"
import * as Files from "../../services/store/Files.ts"
import type * as InOneGo from "../../services/store/InOneGo.ts"
import type { Anchor } from "./Anchor.ts"
import { failure } from "./Ends.ts"
import { readAtOnce } from "./Visit.ts"

const { O_CREAT, O_EXCL, O_WRONLY } = NodeFs.constants

const creating = O_CREAT | O_EXCL | O_WRONLY

const open = promisify(NodeFs.open)
const link = promisify(NodeFs.link)
const unlink = promisify(NodeFs.unlink)
const readdir = promisify<string, Array<string>>(NodeFs.readdir)

/** Fills a file that was just created, and closes it: into memory alone, which waits for nothing. */
const fill = (fd: number, bytes: Uint8Array): void => {
  try {
    for (let at = 0; at < bytes.length;) at += NodeFs.writeSync(fd, bytes, at)
  } finally {
    NodeFs.closeSync(fd)
  }
}

/** Where the file is prepared and where it goes, in a directory that is held open. */
const pathsIn = (directory: string, { name, prepared }: InOneGo.NewLink) => ({
  from: `${directory}/${prepared}`,
  to: `${directory}/${name}`
})

const failed = ({ directory, name }: InOneGo.NewLink) => failure("link", `${directory}/${name}`)

type LinkUnsynced = NonNullable<InOneGo.InOneGo["linkUnsynced"]>

/**
 * On node's threads, but for what waits for nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onThreads = (anchor: Anchor): LinkUnsynced => (file, reading) =>
  Effect.tryPromise({
    try: async () => {
      const directory = anchor.open(file.directory)
      const { from, to } = pathsIn(directory.path, file)
      const tidy = () => unlink(from).then(() => true, () => false)
      try {
        try {
          fill(await open(from, creating, Files.fileMode), file.bytes)
          await link(from, to)
        } catch (cause) {
          await tidy()
          throw cause
        }
        // Beside each other, so that the private name may be seen; in a directory that is open until both are over.
        const gone = tidy()
        const listed = readdir(directory.path)
        const [isGone] = await Promise.all([gone, Promise.allSettled([listed])])
        const names = await listed
        const left = isGone ? names.filter((name) => name !== file.prepared) : names
        return readAtOnce(directory, file.directory, left, reading)
      } finally {
        NodeFs.closeSync(directory.fd)
      }
    },
    catch: failed(file)
  })

/** Whoever holds the session next does it again. */
const unlinkQuietly = (path: string): void => {
  try {
    NodeFs.unlinkSync(path)
  } catch {}
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const atOnce = (anchor: Anchor): LinkUnsynced => (file, reading) =>
  Effect.try({
    try: () => {
      const directory = anchor.open(file.directory)
      const { from, to } = pathsIn(directory.path, file)
      try {
        try {
          fill(NodeFs.openSync(from, creating, Files.fileMode), file.bytes)
          NodeFs.linkSync(from, to)
        } finally {
          unlinkQuietly(from)
        }
        return readAtOnce(directory, file.directory, NodeFs.readdirSync(directory.path), reading)
      } finally {
        NodeFs.closeSync(directory.fd)
      }
    },
    catch: failed(file)
  })
