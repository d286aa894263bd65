/** A disk whose `link` takes a lease's name that is taken: two claimants can win the same lease. */
import * as FileSystem from "effect/FileSystem"

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem =>
  FileSystem.make({
    ...fs,
    link: (path, to) => /lease\.\d+\.json$/.test(to) ? fs.rename(path, to) : fs.link(path, to)
  })
