/**
 * Reading files of a directory that is held open meanwhile.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as NodeFs from "node:fs"
import { promisify } from "node:util"
import type * as InOneGo from "../../services/store/InOneGo.ts"
import * as Reading from "../../services/store/Reading.ts"
import type { Anchor, OpenDirectory } from "./Anchor.ts"
import type { Calls } from "./Ends.ts"
import { endsLater, endsOfSync, failure, inSlices, onThreadsOfNode, tooMuch, versionOf } from "./Ends.ts"

const readdir = promisify<string, Array<string>>(NodeFs.readdir)

/** How a directory was found. */
export const standing = (stats: NodeFs.BigIntStats): Reading.Stand => {
  const version = versionOf(stats)
  return { version, isSettled: Reading.isSettled(version, Date.now()) }
}

const standOf = (fd: number): Reading.Stand => standing(NodeFs.fstatSync(fd, { bigint: true }))

const isUnchanged = (fd: number, before: Reading.Stand): boolean =>
  before.isSettled && standOf(fd).version.identity === before.version.identity

/** Which file is at a path, where there is one. */
const identityAt = (path: string): string | undefined => {
  const stats = NodeFs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : versionOf(stats).identity
}

/**
 * A directory that is held open while files in it are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Visit<A> {
  readonly directory: OpenDirectory
  readonly path: string
  readonly steps: Generator<Reading.Wish, A, Reading.Found>
  readonly onFound: (name: string, found: Reading.Found) => void
}

/** A visit, and what tells at its end whether anything changed meanwhile: names are looked at once more only if need be. */
const begin = <A>(
  { before, directory, names, path }: Pick<Visit<A>, "directory" | "path"> & {
    readonly before: Reading.Stand
    readonly names: ReadonlyArray<string>
  },
  wanted: Reading.Reading<A>,
  { isSame, watched }: Reading.Steadiness
) => {
  let seen: string | undefined
  const visit: Visit<A> = {
    directory,
    path,
    steps: wanted(names),
    onFound: (name, found) => {
      if (name === watched) seen = Reading.identityIn(found)
    }
  }
  const settled = (value: A): Reading.Look<A> | undefined =>
    isUnchanged(directory.fd, before) ? { value, version: before.version, isSteady: true, settled: names } : undefined
  const compared = (value: A, again: ReadonlyArray<string>): Reading.Look<A> => ({
    value,
    version: before.version,
    isSteady: identityAt(`${directory.path}/${watched}`) === seen && isSame(names, again)
  })
  return { visit, settled, compared }
}

/** Grants wishes, and with each of them those that are expected next. */
const granting = (calls: Calls, { directory, path }: Pick<Visit<unknown>, "directory" | "path">) => {
  const granted = new Map<Reading.Wish, Promise<Reading.Found>>()
  const grant = (wish: Reading.Wish): Promise<Reading.Found> => {
    const known = granted.get(wish)
    if (known !== undefined) return known
    const named = `${path}/${wish.name}`
    const found = endsLater(calls, `${directory.path}/${wish.name}`, named, wish).then(
      (ends): Reading.Found => Result.succeed(ends),
      (cause: unknown): Reading.Found => Result.fail(failure("open", named)(cause))
    )
    granted.set(wish, found)
    for (const next of wish.ahead ?? []) void grant(next)
    return found
  }
  const take = async (wish: Reading.Wish): Promise<Reading.Found> => {
    const found = await grant(wish)
    granted.delete(wish)
    return found
  }
  return { take, left: () => Promise.all(granted.values()) }
}

/**
 * Reads what is asked for from a step on.
 *
 * @category getters
 * @since 0.1.0
 */
export const runLater = async <A>(
  calls: Calls,
  visit: Visit<A>,
  first: IteratorResult<Reading.Wish, A>
): Promise<A> => {
  const { left, take } = granting(calls, visit)
  try {
    let step = first
    while (step.done !== true) {
      const found = await take(step.value)
      visit.onFound(step.value.name, found)
      step = visit.steps.next(found)
    }
    return step.value
  } finally {
    // What was not asked for after all is read in a directory that is still open.
    await left()
  }
}

/** Reads what is asked for, one file after the other, up to one of which more is wanted than a moment takes. */
const runSync = <A>(
  { directory, onFound, path, steps }: Visit<A>
): IteratorResult<Reading.Wish, A> => {
  let step = steps.next()
  while (step.done !== true) {
    const found = findSync(directory.path, path, step.value)
    if (found === undefined) return step
    onFound(step.value.name, found)
    step = steps.next(found)
  }
  return step
}

const findSync = (held: string, directory: string, wish: Reading.Wish): Reading.Found | undefined => {
  const path = `${directory}/${wish.name}`
  try {
    return Result.succeed(endsOfSync(`${held}/${wish.name}`, path, wish))
  } catch (cause) {
    return cause === tooMuch ? undefined : Result.fail(failure("open", path)(cause))
  }
}

/** What to go on with, where more is wanted than a moment takes. */
const lookNow = <A>(
  anchor: Anchor,
  path: string,
  wanted: Reading.Reading<A>,
  steadiness: Reading.Steadiness
): Reading.Look<A> | (() => Promise<Reading.Look<A>>) => {
  const directory = anchor.open(path)
  const close = () => NodeFs.closeSync(directory.fd)
  let isLeftOpen = false
  try {
    const before = standOf(directory.fd)
    const names = steadiness.recall?.(before) ?? NodeFs.readdirSync(directory.path)
    const { compared, settled, visit } = begin({ before, directory, names, path }, wanted, steadiness)
    const end = (value: A) => settled(value) ?? compared(value, NodeFs.readdirSync(directory.path))
    const step = runSync(visit)
    if (step.done === true) return end(step.value)
    isLeftOpen = true
    return () => runLater(inSlices, visit, step).then(end).finally(close)
  } finally {
    if (!isLeftOpen) close()
  }
}

/**
 * On node's threads.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lookOnThreads = (anchor: Anchor): InOneGo.InOneGo["look"] => (path, wanted, steadiness) =>
  Effect.uninterruptible(Effect.tryPromise({
    try: async () => {
      const directory = anchor.open(path)
      try {
        const before = standOf(directory.fd)
        // What changed a moment ago is in memory, and what was listed a moment ago too.
        const find = before.isSettled ? readdir : NodeFs.readdirSync
        const names = steadiness.recall?.(before) ?? await find(directory.path)
        const { compared, settled, visit } = begin({ before, directory, names, path }, wanted, steadiness)
        const value = await runLater(onThreadsOfNode, visit, visit.steps.next())
        return settled(value) ?? compared(value, NodeFs.readdirSync(directory.path))
      } finally {
        NodeFs.closeSync(directory.fd)
      }
    },
    catch: failure("open", path)
  }))

/**
 * At once as far as that takes no longer than a moment, and then in slices.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lookAtOnce = (anchor: Anchor): InOneGo.InOneGo["look"] => (path, wanted, steadiness) =>
  // Interrupted between the two, the directory would stay open.
  Effect.uninterruptible(Effect.suspend(() => {
    try {
      const look = lookNow(anchor, path, wanted, steadiness)
      return typeof look === "function"
        ? Effect.tryPromise({ try: look, catch: failure("open", path) })
        : Effect.succeed(look)
    } catch (cause) {
      return Effect.fail(failure("open", path)(cause))
    }
  }))

/**
 * Reads a little in a directory that is held open, with these names in it.
 *
 * @category getters
 * @since 0.1.0
 */
export const readAtOnce = <A>(
  directory: OpenDirectory,
  path: string,
  names: ReadonlyArray<string>,
  reading: Reading.Reading<A>
): A => {
  const step = runSync({ directory, path, steps: reading(names), onFound: () => undefined })
  if (step.done !== true) throw tooMuch
  return step.value
}

/**
 * At once: a directory that was in use a moment ago, and what is small in it, are in
 * memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const glance = (anchor: Anchor): NonNullable<InOneGo.InOneGo["glance"]> => (path, reading) =>
  Effect.try({
    try: () => {
      const directory = anchor.open(path)
      try {
        return readAtOnce(directory, path, NodeFs.readdirSync(directory.path), reading)
      } finally {
        NodeFs.closeSync(directory.fd)
      }
    },
    catch: failure("readDirectory", path)
  })
