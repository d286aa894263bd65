/**
 * An application that has the packed library installed: a folder of its own,
 * with the tarball unpacked into its node_modules.
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Path, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

export const repository = fileURLToPath(new URL("../../", import.meta.url))

/** Runs a program to its end: what it printed, and how it ended. */
export const run = (command: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const child = yield* spawner.spawn(ChildProcess.make(command, args, { cwd, stdin: "ignore" }))
    const output = yield* child.all.pipe(Stream.decodeText(), Stream.mkString)
    return { output, exitCode: yield* child.exitCode }
  }).pipe(Effect.scoped)

/** What the README's programs import beside the library. */
const installed = [
  "effect",
  "@effect/platform-node",
  "@effect/platform-node-shared",
  "@effect/vitest",
  "vitest",
  "@types/node"
]

/** Packs the library as it is published and unpacks it where npm would. */
export const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-consumer-" }))
  const modules = path.join(root, "node_modules")
  const library = path.join(modules, "effect-reprise")
  yield* fs.makeDirectory(library, { recursive: true })
  const packed = yield* run("npm", ["pack", "--pack-destination", root], repository)
  if (packed.exitCode !== 0) return yield* Effect.die(new Error(`npm pack failed:\n${packed.output}`))
  const [tarball] = (yield* fs.readDirectory(root)).filter((name) => name.endsWith(".tgz"))
  if (tarball === undefined) return yield* Effect.die(new Error("npm pack made no tarball"))
  yield* run("tar", ["xzf", path.join(root, tarball), "--strip-components=1", "-C", library], root)
  for (const name of installed) {
    const target = path.join(modules, name)
    yield* fs.makeDirectory(path.dirname(target), { recursive: true })
    yield* fs.symlink(path.join(repository, "node_modules", name), target)
  }
  yield* fs.writeFileString(path.join(root, "package.json"), JSON.stringify({ type: "module" }))
  return { root, library }
})

export const layer = NodeServices.layer

/** Checks the types of a program as an application would, strictly. */
export const checkTypes = (root: string, files: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"]
    const target = ["--target", "es2022", "--lib", "es2024,dom", "--module", "nodenext", "--types", "node"]
    const tsc = path.join(repository, "node_modules", "typescript", "bin", "tsc")
    return yield* run(process.execPath, [tsc, "--ignoreConfig", ...options, ...target, ...files], root)
  })
