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
}

const asTheyAre = (...paths: ReadonlyArray<string>): Held => ({ paths, release: () => undefined })

/**
 * Follows whatever there is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: Anchor = { files: asTheyAre, directory: asTheyAre }

/**
 * Holds directories below this one by descriptors where the system can do that
 * (Linux), and elsewhere looks at them before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const below = (base: string): Anchor => {
  const prefix = base.endsWith(NodePath.sep) ? base : base + NodePath.sep
  const isBelow = (path: string) => path.startsWith(prefix) && path.length > prefix.length

  /** By what an open directory is reached, and how to close it. */
  const open = (directory: string) => {
    const fd = NodeFs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return { path: hasDescriptors ? `${descriptors}/${fd}` : directory, release: () => NodeFs.closeSync(fd) }
  }

  return {
    directory: (path) => {
      if (!isBelow(path)) return asTheyAre(path)
      const { path: held, release } = open(path)
      return { paths: [held], release }
    },
    files: (...paths) => {
      const [directory, another = directory] = paths.map((path) => NodePath.dirname(path))
      if (directory === undefined || directory !== another || !isBelow(directory)) return asTheyAre(...paths)
      const { path: held, release } = open(directory)
      return { paths: paths.map((path) => `${held}/${NodePath.basename(path)}`), release }
    }
  }
}
