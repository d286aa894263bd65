/**
 * Files in a directory that is opened first, without following a link in its
 * place: what is then done in it is done there, and not where somebody made its
 * name lead meanwhile.
 *
 * @since 0.1.0
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import type { Held } from "./SystemCall.ts"

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = NodeFs.constants

/** Where the files of an open directory can be reached by its descriptor. */
const descriptors = "/proc/self/fd"

const hasDescriptors = NodeFs.existsSync(descriptors)

/**
 * How paths are made to lead where they should. Throws where they don't.
 *
 * @category models
 * @since 0.1.0
 */
export interface Anchor {
  /** To the files at these paths. */
  readonly files: (...paths: ReadonlyArray<string>) => Held
  /** To the directory at this path. */
  readonly directory: (path: string) => Held
  /** To the directory at this path itself, open. */
  readonly open: (path: string) => OpenDirectory
}

/**
 * A directory, not a link to one, and the path by which its files are reached.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenDirectory {
  readonly fd: number
  readonly path: string
}

const asTheyAre = (...paths: ReadonlyArray<string>): Held => ({ paths, release: () => undefined })

const openItself = (directory: string): number => NodeFs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

/**
 * Follows whatever there is on the way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: Anchor = {
  files: asTheyAre,
  directory: asTheyAre,
  open: (path) => ({ fd: openItself(path), path })
}

/**
 * Holds directories below this one by descriptors where files can be reached by
 * these (Linux); elsewhere it only opens them, so that a link is refused that is
 * there already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const below = (base: string): Anchor => {
  const prefix = base.endsWith(NodePath.sep) ? base : base + NodePath.sep
  const isBelow = (path: string) => path.startsWith(prefix) && path.length > prefix.length

  const open = (directory: string): OpenDirectory => {
    const fd = openItself(directory)
    return { fd, path: hasDescriptors && isBelow(directory) ? `${descriptors}/${fd}` : directory }
  }

  /** Paths in a directory for as long as it is open. */
  const hold = (directory: string, names: ReadonlyArray<string>): Held => {
    const { fd, path } = open(directory)
    return { paths: names.map((name) => path + name), release: () => NodeFs.closeSync(fd) }
  }

  return {
    open,
    directory: (path) => isBelow(path) ? hold(path, [""]) : asTheyAre(path),
    files: (...paths) => {
      const [directory, another = directory] = paths.map((path) => NodePath.dirname(path))
      if (directory === undefined || directory !== another || !isBelow(directory)) return asTheyAre(...paths)
      return hold(directory, paths.map((path) => `/${NodePath.basename(path)}`))
    }
  }
}
