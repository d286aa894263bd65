import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Effect, Exit, FileSystem, Option, type PlatformError, Predicate, Random, Scope } from "effect"
import * as MemoryDisk from "./memory-disk.ts"

const steps = ["a", "b", "c", "d"]

const randomPath = Effect.gen(function*() {
  const depth = yield* Random.nextIntBetween(1, 3)
  const names = yield* Effect.replicateEffect(Random.choice(steps), depth)
  return (yield* Random.nextIntBetween(0, 20)) === 0 ? `${names.join("/")}/../${names[0]}` : names.join("/")
})

const flags: ReadonlyArray<FileSystem.OpenFlag> = ["r", "r+", "w", "wx", "w+", "wx+", "a", "ax", "a+", "ax+"]

/** What both disks tell of a file: not the numbers that only one of them can know. */
const tellInfo = (info: FileSystem.File.Info) =>
  [
    info.type,
    info.mode.toString(8),
    ...(info.type === "File" ? [Option.getOrThrow(ByteSize.toNumber(info.size)), String(info.nlink)] : [])
  ].join()

const tellError = ({ reason }: PlatformError.PlatformError) =>
  [reason._tag, Predicate.hasProperty(reason.cause, "code") ? reason.cause.code : ""].join()

/** One file system and the files that are open on it. */
const makeSide = (fs: FileSystem.FileSystem, root: string, scope: Scope.Scope) => {
  const open: Array<{ readonly file: FileSystem.File; readonly scope: Scope.Closeable }> = []
  const at = (path: string) => `${root}/${path}`
  const handle = (index: number) => open[index % Math.max(1, open.length)]
  return {
    fs,
    at,
    withFile: <A>(index: number, use: (file: FileSystem.File) => Effect.Effect<A, PlatformError.PlatformError>) => {
      const opened = handle(index)
      return opened === undefined ? Effect.succeed("no file") : use(opened.file)
    },
    open: (path: string, options: Parameters<FileSystem.FileSystem["open"]>[1]) =>
      Effect.gen(function*() {
        const own = yield* Scope.fork(scope)
        const file = yield* Effect.onError(
          Scope.provide(fs.open(at(path), options), own),
          () => Scope.close(own, Exit.void)
        )
        open.push({ file, scope: own })
      }),
    close: (index: number) => {
      const opened = handle(index)
      if (opened === undefined) return Effect.void
      open.splice(open.indexOf(opened), 1)
      return Scope.close(opened.scope, Exit.void)
    }
  }
}

type Side = ReturnType<typeof makeSide>

/** A random call, to be made on both sides, and how to tell what came of it. */
const randomCall = Effect.gen(function*() {
  const path = yield* randomPath
  const to = yield* randomPath
  const number = yield* Random.nextIntBetween(0, 30)
  const flag = yield* Random.choice(flags)
  const noFollow = yield* Random.nextBoolean
  const yes = yield* Random.nextBoolean
  const bytes = new TextEncoder().encode("x".repeat(number))
  const calls: Record<string, (side: Side) => Effect.Effect<unknown, PlatformError.PlatformError>> = {
    access: ({ at, fs }) => fs.access(at(path)),
    chmod: ({ at, fs }) => fs.chmod(at(path), 0o700 + number),
    close: ({ close }) => close(number),
    link: ({ at, fs }) => fs.link(at(path), at(to)),
    lstat: ({ at, fs }) => Effect.map(fs.lstat(at(path)), tellInfo),
    makeDirectory: ({ at, fs }) => fs.makeDirectory(at(path), { mode: 0o700 }),
    makeDirectoryAgain: ({ at, fs }) => fs.makeDirectory(at(path)),
    open: ({ open }) => open(path, { flag, mode: 0o600, noFollow }),
    openAgain: ({ open }) => open(path, { flag: "ax", mode: 0o600 }),
    read: ({ withFile }) =>
      withFile(number, (file) => {
        const buffer = new Uint8Array(10)
        return Effect.map(
          file.read(buffer, yes ? { position: BigInt(number) } : undefined),
          (count) => new TextDecoder().decode(buffer.subarray(0, count))
        )
      }),
    readAlloc: ({ withFile }) =>
      withFile(number, (file) => Effect.map(file.readAlloc(10), Option.map((found) => found.length))),
    readDirectory: ({ at, fs }) => Effect.map(fs.readDirectory(at(path)), (names) => names.sort().join()),
    readFile: ({ at, fs }) => Effect.map(fs.readFile(at(path)), (found) => new TextDecoder().decode(found)),
    realPath: (side) => Effect.map(side.fs.realPath(side.at(path)), (real) => real.replace(side.at(""), "")),
    remove: ({ at, fs }) => fs.remove(at(path), { force: yes, recursive: number % 3 === 0 }),
    rename: ({ at, fs }) => fs.rename(at(path), at(to)),
    seek: ({ withFile }) => withFile(number, (file) => file.seek(BigInt(number), "start")),
    stat: ({ at, fs }) => Effect.map(fs.stat(at(path)), tellInfo),
    statOfFile: ({ withFile }) => withFile(number, (file) => Effect.map(file.stat, tellInfo)),
    symlink: ({ at, fs }) => fs.symlink(yes ? at(to) : to, at(path)),
    sync: ({ withFile }) => withFile(number, (file) => file.sync),
    truncate: ({ withFile }) => withFile(number, (file) => file.truncate(number)),
    writeAll: ({ withFile }) => withFile(number, (file) => file.writeAll(bytes)),
    writeFile: ({ at, fs }) => fs.writeFile(at(path), bytes, { mode: 0o600 })
  }
  const name = yield* Random.choice(Object.keys(calls))
  return { said: `${name}(${path}, ${to}, ${number}, ${flag}, ${noFollow}, ${yes})`, run: calls[name] }
})

const outcome = (call: Effect.Effect<unknown, PlatformError.PlatformError>) =>
  Effect.match(call, { onFailure: tellError, onSuccess: (value) => `ok ${String(value)}` })

describe("A disk in memory", () => {
  it.live.each([1, 2, 3, 4])("answers every call as the real one does (seed %i)", (seed) =>
    Effect.gen(function*() {
      const real = yield* FileSystem.FileSystem
      const scope = yield* Scope.Scope
      const root = yield* real.realPath(yield* real.makeTempDirectoryScoped({ prefix: "reprise-rig-" }))
      const { fileSystem: memory } = MemoryDisk.make(Date.now)
      yield* memory.makeDirectory(root, { recursive: true })
      const sides = [makeSide(real, root, scope), makeSide(memory, root, scope)] as const
      const kinds = new Set<string>()
      for (let number = 0; number < 2500; number++) {
        const { run, said } = yield* randomCall
        if (run === undefined) continue
        const [expected, found] = yield* Effect.all([outcome(run(sides[0])), outcome(run(sides[1]))])
        assert.strictEqual(found, expected, `call ${number}: ${said}`)
        kinds.add(`${said.slice(0, said.indexOf("("))} ${expected.split(/[ \n]/)[0]}`)
      }
      assert.isAbove(kinds.size, 50)
    }).pipe(Random.withSeed(seed), Effect.scoped, Effect.provide(NodeFileSystem.layer)))
})
