/** A file system that follows links where the store asked it not to. */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"

export const layer: Layer.Layer<FileSystem.FileSystem> = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) =>
    FileSystem.make({
      ...fs,
      lstat: fs.stat,
      open: (path, options = {}) => fs.open(path, { ...options, noFollow: false })
    }))
).pipe(Layer.provide(NodeFileSystem.layer))
