/**
 * Several calls in one go: on node's threads, or at once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as NodeFs from "node:fs"
import { promisify } from "node:util"
import * as FileError from "../../services/store/FileError.ts"
import type * as InOneGo from "../../services/store/InOneGo.ts"
import type * as Reading from "../../services/store/Reading.ts"
import type { Anchor } from "./Anchor.ts"
import type { Calls } from "./Ends.ts"
import { endsLater, endsOfSync, failure, inSlices, onThreadsOfNode, tooMuch, versionOf } from "./Ends.ts"
import * as NewLink from "./NewLink.ts"
import * as OpenFile from "./OpenFile.ts"
import { glance, lookAtOnce, lookOnThreads, standing } from "./Visit.ts"

const { R_OK } = NodeFs.constants

const access = promisify(NodeFs.access)
const lstat = promisify<string, NodeFs.StatOptions & { readonly bigint: true }, NodeFs.BigIntStats>(NodeFs.lstat)
const stat = promisify((path: string, done: (error: NodeJS.ErrnoException | null, stats: NodeFs.BigIntStats) => void) =>
  NodeFs.stat(path, { bigint: true }, done)
)
const realPath = promisify<string, string>(NodeFs.realpath.native)

const stand = (path: string) =>
  Effect.try({
    try: () => {
      const stats = NodeFs.lstatSync(path, { bigint: true })
      if (!stats.isDirectory()) throw FileError.wrongKind("lstat", path, "a directory", OpenFile.typeOf(stats))
      return standing(stats)
    },
    catch: failure("lstat", path)
  })

/** What is at a path, which leads somewhere else no more. */
const readableAt = (path: string): InOneGo.Followed => ({
  path,
  info: Result.try({
    try: () => {
      const stats = NodeFs.statSync(path, { bigint: true })
      if (stats.isDirectory()) NodeFs.accessSync(path, R_OK)
      return OpenFile.infoOf(stats)
    },
    catch: failure("stat", path)
  })
})

/** What is at a path, looked up beside where it leads: which is mostly itself. */
const followOnThreads = async (from: string): Promise<InOneGo.Followed> => {
  const look = (path: string) => Promise.allSettled([stat(path), access(path, R_OK)])
  const expected = look(from)
  const path = await realPath(from)
  const [stats, readable] = await (path === from ? expected : look(path))
  const fail = ({ reason }: PromiseRejectedResult) => ({ path, info: Result.fail(failure("stat", path)(reason)) })
  if (stats.status === "rejected") return fail(stats)
  if (stats.value.isDirectory() && readable.status === "rejected") return fail(readable)
  return { path, info: Result.succeed(OpenFile.infoOf(stats.value)) }
}

/** Reads a file, waiting between the calls. */
const readWaiting = (anchor: Anchor, calls: Calls): InOneGo.Reader => (path, wanted) =>
  Effect.tryPromise({
    try: async () => {
      const held = anchor.files(path)
      try {
        return await endsLater(calls, held.paths[0] ?? path, path, wanted)
      } finally {
        held.release()
      }
    },
    catch: failure("open", path)
  })

/**
 * On node's threads, but for what waits for nothing: closing, asking what an open
 * file is, writing a little that is not synced, and looking into a directory that
 * was in use a moment ago.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onThreads = (anchor: Anchor): InOneGo.InOneGo => ({
  isAtOnce: false,
  read: readWaiting(anchor, onThreadsOfNode),
  look: lookOnThreads(anchor),
  stand,
  glance: glance(anchor),
  linkUnsynced: NewLink.onThreads(anchor),
  follow: (path) => Effect.tryPromise({ try: () => followOnThreads(path), catch: failure("realPath", path) }),
  versions: (paths) => Effect.promise(() => Promise.all(paths.map(versionAt)))
})

const directoryVersion = (stats: NodeFs.BigIntStats | undefined): Option.Option<Reading.Version> =>
  stats?.isDirectory() === true ? Option.some(versionOf(stats)) : Option.none()

const versionAt = (path: string): Promise<Option.Option<Reading.Version>> =>
  lstat(path, { bigint: true }).then(directoryVersion, () => Option.none())

/**
 * At once, and in slices where more is wanted than a moment takes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const atOnce = (anchor: Anchor): InOneGo.InOneGo => {
  const readInSlices = readWaiting(anchor, inSlices)
  return {
    isAtOnce: true,
    read: (path, wanted) =>
      Effect.suspend(() => {
        try {
          const held = anchor.files(path)
          try {
            return Effect.succeed(endsOfSync(held.paths[0] ?? path, path, wanted))
          } finally {
            held.release()
          }
        } catch (cause) {
          return cause === tooMuch ? readInSlices(path, wanted) : Effect.fail(failure("open", path)(cause))
        }
      }),
    look: lookAtOnce(anchor),
    stand,
    glance: glance(anchor),
    linkUnsynced: NewLink.atOnce(anchor),
    follow: (path) =>
      Effect.try({ try: () => readableAt(NodeFs.realpathSync.native(path)), catch: failure("realPath", path) }),
    versions: (paths) =>
      Effect.sync(() =>
        paths.map((path) => directoryVersion(NodeFs.lstatSync(path, { bigint: true, throwIfNoEntry: false })))
      )
  }
}
