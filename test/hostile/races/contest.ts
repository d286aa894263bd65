/**
 * Creates, resumes, changes and closes sessions while another process swaps
 * their projects, directories and files. Nothing outside may be read or written,
 * no session may run in a project that was not the one that was checked, and
 * every operation ends in time, with success or a typed error.
 */
import { NodePath } from "@effect/platform-node"
import { Cause, Effect, Exit, type FileSystem, Layer, Option, Random, Stream } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeReadline from "node:readline/promises"
import { fileURLToPath } from "node:url"
import * as Lease from "../../../src/core/Lease.ts"
import { ProjectDirectory, ProjectPath, type SessionId, Sessions, Signer, Supervisor } from "../../../src/index.ts"
import { NodeFiles } from "../../../src/node/index.ts"
import * as Forge from "../forge.ts"
import * as World from "../world.ts"
import * as Places from "./places.ts"

export interface Options {
  readonly milliseconds: number
  /** What is swapped, and with what. */
  readonly targets?: ReadonlyArray<"project" | "directory" | "file" | "pending">
  readonly kinds?: ReadonlyArray<"link" | "fifo" | "directory" | "file">
  /** Ends with the first finding. */
  readonly untilFound?: boolean
  /** Makes calls of the file system at once. */
  readonly synchronous?: boolean
  readonly disk?: Layer.Layer<FileSystem.FileSystem>
}

/** Longer than any operation takes on a busy machine. */
const patience = "20 seconds"

const prepare = (places: Places.Places) => {
  const { aside, canaries, canaryDirectory, canaryProject, fifos, projects, sessions } = places
  NodeFs.rmSync(sessions, { recursive: true, force: true })
  for (const directory of [aside, canaries, canaryDirectory, canaryProject, fifos, sessions]) {
    NodeFs.mkdirSync(directory, { recursive: true, mode: 0o700 })
  }
  for (const name of Places.projects) NodeFs.mkdirSync(`${projects}/${name}`, { recursive: true })
  NodeFs.writeFileSync(`${canaryProject}/${Places.marker}`, Places.marker)
  NodeChildProcess.execFileSync("mkfifo", ["-m", "600", ...Places.fifos(places)])
}

const canaryLease = (epoch: number) =>
  Lease.toBytes({
    version: 1,
    state: "held",
    epoch,
    nonce: Places.marker,
    holder: { host: Places.marker, bootId: "boot", pidNamespace: "pids", pid: 1, startTime: "1" },
    since: Forge.at
  })

/** Signed sessions outside: for every id one that says that it is not the one that was asked for. */
const canaryFiles = Effect.fnUntraced(function*(id: SessionId.SessionId, project: string) {
  const keyRing = yield* Signer.Signer
  const document = Forge.documentAround(new TextEncoder().encode(`"${Places.marker}"`), project, { id })
  const named = new TextEncoder().encode(new TextDecoder().decode(document).replace("forged", Places.marker))
  return {
    "session.json": Forge.sign(keyRing, named, { id }),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((epoch) => [`lease.${epoch}.json`, canaryLease(epoch)]))
  }
})

/** Starts the process that swaps; the effect that stops it says how often it did. */
const startSwapper = (places: Places.Places, seed: number, options: Options) =>
  Effect.promise(async () => {
    const { kinds = ["link", "fifo", "directory", "file"], targets = ["project", "directory", "file", "pending"] } =
      options
    const script = fileURLToPath(new URL("swapper.ts", import.meta.url))
    const child = NodeChildProcess.spawn(
      process.execPath,
      [script, places.root, String(seed), kinds.join(","), targets.join(",")],
      { stdio: ["pipe", "pipe", "inherit"] }
    )
    const lines = NodeReadline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await lines.next()
    const said = lines.next()
    return Effect.promise(async () => {
      child.stdin.end()
      const { value } = await said
      return Number(value)
    })
  })

/** Lets go whoever waits for somebody at the other end of a FIFO. */
const release = (places: Places.Places) => {
  for (const fifo of Places.fifos(places)) {
    NodeFs.closeSync(NodeFs.openSync(fifo, NodeFs.constants.O_RDWR | NodeFs.constants.O_NONBLOCK))
  }
}

const told = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => typeof member === "bigint" ? String(member) : member) ?? ""

export const run = Effect.fnUntraced(function*(options: Options) {
  const findings = new Set<string>()
  const counts = { succeeded: 0, refused: 0, swaps: 0 }
  const outcomes = new Map<string, number>()
  const { root } = yield* World.workspace
  const places = Places.below(root)
  prepare(places)

  /** Every look at a project, in order. */
  const looks = new Map<string, Array<ProjectPath.Fingerprint>>()
  const layerProject = Layer.effect(
    ProjectDirectory.ProjectDirectory,
    Effect.map(ProjectDirectory.ProjectDirectory, ({ fingerprint }) =>
      ProjectDirectory.ProjectDirectory.of({
        fingerprint: (project) =>
          Effect.tap(fingerprint(project), (found) =>
            Effect.sync(() => looks.set(project, [...looks.get(project) ?? [], found])))
      }))
  ).pipe(Layer.provide(ProjectDirectory.layerWith({ allowedRoots: [places.projects] })))

  const disk = options.disk ?? NodeFiles.layer({
    below: places.sessions,
    smallCalls: options.synchronous === true ? "synchronous" : "threads"
  })
  const layer = World.layer({ sessions: places.sessions, disk, limits: { maxStored: 1_000_000 } }).pipe(
    Layer.merge(Layer.provide(layerProject, Layer.merge(disk, NodePath.layer)))
  )

  const seed = yield* Random.nextIntBetween(0, 2 ** 31)
  let isStuck = false

  yield* Effect.gen(function*() {
    World.put(places.canaries, Forge.otherId, yield* canaryFiles(Forge.otherId, places.canaryProject))
    NodeFs.rmSync(places.canaryDirectory, { recursive: true })
    NodeFs.renameSync(`${places.canaries}/${Forge.otherId}`, places.canaryDirectory)
    const pictures = new Map<string, string>()
    const picture = (id: string) => {
      const directory = `${places.canaries}/${id}`
      pictures.set(directory, `${NodeFs.lstatSync(directory, { bigint: true }).mtimeNs}\n${World.pictureOf(directory)}`)
    }
    const outside = () => `${World.pictureOf(`${root}/outside/other`)}\n${World.pictureOf(`${root}/outside/projects`)}`
    const before = outside()
    const stop = yield* startSwapper(places, seed, options)
    const until = performance.now() + options.milliseconds

    const check = (what: string, said: unknown) => {
      if (told(said).includes(Places.marker)) {
        findings.add(`${what} answers with what is outside: ${told(said).slice(0, 400)}`)
      }
    }

    const goesOn = () => performance.now() < until && !isStuck && !(options.untilFound === true && findings.size > 0)

    /** One operation: it ends in time, with success or a typed error, and says nothing of what is outside. */
    const ask = <A, E extends { readonly _tag: string }, R>(what: string, operation: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkDetach(Effect.exit(operation))
        const ended = yield* Effect.timeoutOption(
          Effect.promise(() =>
            new Promise<Exit.Exit<A, E>>((resolve) => {
              fiber.addObserver((exit) => {
                if (Exit.isSuccess(exit)) resolve(exit.value)
              })
            })
          ),
          patience
        )
        if (Option.isNone(ended)) {
          isStuck = true
          findings.add(`${what} hangs`)
          return Option.none<A>()
        }
        const exit = ended.value
        if (Exit.isSuccess(exit)) {
          counts.succeeded++
          check(what, exit.value)
          return Option.some(exit.value)
        }
        const [reason] = exit.cause.reasons
        if (exit.cause.reasons.length === 1 && reason !== undefined && Cause.isFailReason(reason)) {
          counts.refused++
          const name = `${what} ${reason.error._tag}`
          outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
          check(what, reason.error)
        } else findings.add(`${what} dies: ${Cause.pretty(exit.cause).slice(0, 600)}`)
        return Option.none<A>()
      })

    /** A session that began to run: every look at its project saw the same directory, inside. */
    const judge = (what: string, project: string, path: string) => {
      const seen = looks.get(project) ?? []
      const [first] = seen
      if (first === undefined || seen.length < 2) {
        findings.add(`${what}: its project was looked at ${seen.length} times`)
      } else if (!seen.every((look) => ProjectPath.isSame(first, look))) {
        findings.add(`${what}: runs although its project was replaced`)
      }
      if (!path.startsWith(`${places.projects}/`) || path !== first?.path) findings.add(`${what}: runs in ${path}`)
    }

    const work = Effect.fnUntraced(function*(name: string) {
      const project = `${places.projects}/${name}`
      while (goesOn()) {
        looks.delete(project)
        const created = yield* ask("create", Sessions.create({ project, name, config: World.config }))
        if (Option.isNone(created)) continue
        const { id } = created.value
        judge("create", project, (yield* created.value.state).session.projectPath)
        World.put(places.canaries, id, yield* canaryFiles(id, project))
        picture(id)
        yield* ask("append", created.value.append({ role: "user", content: "hello" }))
        yield* ask("checkpoint", Sessions.checkpoint(id))
        yield* ask("append", created.value.append({ role: "user", content: "hello again" }))
        yield* ask("close", Sessions.close(id))
        for (let round = 0; round < 4 && goesOn(); round++) {
          const loaded = yield* ask("load", Sessions.load(id))
          yield* ask("list", Stream.runCollect(Sessions.list()))
          looks.delete(project)
          const resumed = yield* ask("resume", Sessions.resume(id, { takeOver: true }))
          if (Option.isNone(resumed)) continue
          judge("resume", project, (yield* resumed.value.state).session.projectPath)
          check("resume", yield* resumed.value.state)
          if (Option.isSome(loaded)) check("load", loaded.value)
          yield* ask("append", resumed.value.append({ role: "user", content: String(round) }))
          yield* ask("close", Sessions.close(id))
        }
        yield* ask("remove", Sessions.remove(id, { interrupted: true }))
        yield* ask("purge", Sessions.purge(id))
        // One that could not be closed would keep its project.
        yield* Supervisor.Supervisor.use(({ discard }) => discard(id))
      }
    })

    yield* Effect.forEach(Places.projects, work, { concurrency: "unbounded", discard: true })
    if (isStuck) release(places)
    const swaps = yield* stop
    if (isStuck) release(places)
    for (const [directory, was] of pictures) {
      const now = `${NodeFs.lstatSync(directory, { bigint: true }).mtimeNs}\n${World.pictureOf(directory)}`
      if (now !== was) findings.add(`outside was written: ${directory}\nwas ${was}\nis ${now}`)
    }
    if (outside() !== before) findings.add(`outside was written:\nwas ${before}\nis ${outside()}`)
    return swaps
  }).pipe(
    Effect.provide(layer),
    Effect.tap((swaps) =>
      Effect.sync(() => {
        counts.swaps = swaps
      })
    )
  )
  return { counts, findings: [...findings], outcomes }
}, Effect.scoped)
