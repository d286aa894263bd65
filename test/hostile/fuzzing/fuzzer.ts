/**
 * Puts hostile files where a store, or an import, finds them, and reads them:
 * every answer is a success or a typed error, in time, within memory; nothing is
 * started by a failure, and nothing is written by a reader.
 */
import { Cause, Effect, Exit, Option, Random, Stream } from "effect"
import * as NodeFs from "node:fs"
import * as Journal from "../../../src/core/Journal.ts"
import * as Text from "../../../src/core/Text.ts"
import { type SessionError, type SessionId, Sessions, Signer, Supervisor } from "../../../src/index.ts"
import type { FileSystemHooks } from "../../../src/testing/index.ts"
import * as Forge from "../forge.ts"
import * as Pool from "../pool.ts"
import * as World from "../world.ts"
import * as Dice from "./dice.ts"
import * as Mutate from "./mutate.ts"

export interface Options {
  readonly inputs: number
  /** Sees every call of the store, from the first input on. */
  readonly hook?: FileSystemHooks.Hook
}

/** Processor time of one operation, in microseconds: a busy machine must not count. */
const patience = 1_000_000
const maxHeap = 700 * 1024 * 1024

interface Input {
  readonly what: string
  readonly id: SessionId.SessionId
  readonly files: { readonly [name: string]: Uint8Array }
  readonly file: Uint8Array
}

type World = Effect.Success<typeof World.workspace>

/** Makes one input after the other, from files that the store wrote. */
const inputsOf = (dice: Dice.Dice, pool: Pool.Pool, keyRing: Signer.Signer["Service"], project: string) => {
  const session = () => dice.pick(pool.sessions) ?? { id: Forge.id, isOpen: false, files: {} }
  const exports = pool.files.filter(({ kind }) => kind === "export")
  const foreign = () => {
    const old = Forge.version1Around(Text.toBytes(Mutate.json(dice, 4)), project)
    return dice.below(2) === 0 ? old : Mutate.mutated(dice, old)
  }
  const makers: { readonly [what: string]: () => Omit<Input, "what"> } = {
    "a changed file": () => {
      const { files, id } = session()
      const [name, bytes] = dice.pick(Object.entries(files)) ?? ["session.json", new Uint8Array(0)]
      const changed = Mutate.mutated(dice, bytes)
      return { id, files: { ...files, [name]: changed }, file: changed }
    },
    "a changed snapshot, signed again": () => {
      const { files, id } = session()
      const changed = Mutate.mutated(dice, Forge.unsigned(files["session.json"] ?? new Uint8Array(0)))
      return {
        id,
        files: { "session.json": Forge.sign(keyRing, changed, { id }) },
        file: Forge.sign(keyRing, changed, { id, domain: "export" })
      }
    },
    "a document by the grammar": () => {
      const value = Text.toBytes(Mutate.json(dice, 5))
      const document = dice.below(3) === 0 ? value : Forge.documentAround(value, project)
      return {
        id: Forge.id,
        files: { "session.json": Forge.sign(keyRing, document) },
        file: Forge.sign(keyRing, document, { domain: "export" })
      }
    },
    "random bytes": () => {
      const bytes = dice.bytes(dice.below(2000))
      const { files, id } = session()
      return { id, files: { ...files, [dice.pick(Object.keys(files)) ?? "session.json"]: bytes }, file: bytes }
    },
    "a journal of anything": () => {
      const { files, id } = session()
      const snapshot = files["session.json"] ?? new Uint8Array(0)
      const writer = Option.getOrThrow(
        Journal.writer(keyRing, {
          id,
          epoch: 9,
          part: 0,
          snapshot: Pool.signatureIn(snapshot),
          revision: dice.below(9)
        })
      )
      const lines = Array.from(
        { length: dice.below(5) },
        () =>
          writer.encode([{
            at: Forge.at,
            json: Text.toBytes(`{"_tag":"PromptRecorded","prompt":${Mutate.json(dice, 2)}}`)
          }])
      )
      const journal = Text.concat([writer.firstLine, ...lines])
      const changed = dice.below(2) === 0 ? journal : Mutate.mutated(dice, journal)
      return { id, files: { ...files, "journal.9.0.jsonl": changed }, file: changed }
    },
    "a lease of anything": () => {
      const { files, id } = session()
      const lease = dice.below(2) === 0 ? Text.toBytes(Mutate.json(dice, 4)) : dice.bytes(dice.below(5000))
      return { id, files: { ...files, [`lease.${1 + dice.below(99)}.json`]: lease }, file: lease }
    },
    "names of anything": () => {
      const { files, id } = session()
      const names = Array.from({ length: 1 + dice.below(6) }, (): readonly [string, Uint8Array] => [
        Mutate.name(dice),
        dice.bytes(dice.below(50))
      ])
      return { id, files: { ...files, ...Object.fromEntries(names) }, file: foreign() }
    },
    "a file of version 1": () => ({ ...session(), file: foreign() }),
    "a changed export": () => ({
      ...session(),
      file: Mutate.mutated(dice, dice.pick(exports)?.bytes ?? new Uint8Array(0))
    })
  }
  return (): Input => {
    const [what, make] = dice.pick(Object.entries(makers)) ?? ["nothing", foreignOnly]
    return { what, ...make() }
  }

  function foreignOnly(): Omit<Input, "what"> {
    return { ...session(), file: foreign() }
  }
}

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

export const run = Effect.fnUntraced(function*({ hook, inputs }: Options) {
  const findings: Array<string> = []
  const outcomes = new Map<string, number>()
  let heap = 0
  const workspace: World = yield* World.workspace
  const { project, root, sessions } = workspace
  const file = `${root}/file.json`
  const seed = yield* Random.nextIntBetween(0, 2 ** 31)
  let isHooked = false
  const layer = World.layer({
    sessions,
    limits: { maxStored: 1_000_000 },
    ...(hook === undefined ? {} : { hook: (call) => (run) => isHooked ? hook(call)(run) : run })
  })

  const ask = <R>(what: string, operation: Effect.Effect<unknown, SessionError.SessionError, R>) =>
    Effect.suspend(() => {
      const before = process.cpuUsage()
      return Effect.map(Effect.exit(operation), (exit) => {
        const { system, user } = process.cpuUsage(before)
        if (system + user > patience) findings.push(`${what}: took ${(system + user) / 1000} ms`)
        const [reason] = Exit.isSuccess(exit) ? [] : exit.cause.reasons
        const isTyped = reason !== undefined && Cause.isFailReason(reason)
        const name = Exit.isSuccess(exit) ? "success" : isTyped ? nameOf(reason.error) : "defect"
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
        if (!Exit.isSuccess(exit) && !isTyped) findings.push(`${what}: ${Cause.pretty(exit.cause).slice(0, 400)}`)
        return Exit.isSuccess(exit)
      })
    })

  yield* Effect.gen(function*() {
    const keyRing = yield* Signer.Signer
    const supervisor = yield* Supervisor.Supervisor
    const dice = Dice.make(seed)
    const next = inputsOf(dice, yield* Pool.make(workspace), keyRing, project)
    isHooked = true
    for (let number = 0; number < inputs; number++) {
      const { file: bytes, files, id, what } = next()
      const about = (operation: string) => `input ${number} (${what}), ${operation}`
      World.put(sessions, id, files)
      const picture = number % 8 === 0 ? World.pictureOf(sessions) : undefined
      yield* ask(about("load"), Sessions.load(id))
      const operation = dice.below(4)
      if (operation === 0) yield* ask(about("verify"), Sessions.verify(id))
      if (operation === 1) yield* ask(about("list"), Stream.runCollect(Sessions.list()))
      if (picture !== undefined && picture !== World.pictureOf(sessions)) {
        findings.push(`${about("reading")}: wrote something`)
      }
      if (operation === 2) {
        const isRunning = yield* ask(about("resume"), Sessions.resume(id))
        if (isRunning) yield* ask(about("close"), Sessions.close(id))
        const left = yield* supervisor.running
        if (left.length > 0) findings.push(`${about("resume")}: leaves ${left.length} sessions running`)
        yield* Effect.forEach(left, (session) => supervisor.discard(session.id))
      }
      World.clear(sessions, id)
      if (operation === 3) {
        NodeFs.writeFileSync(file, bytes)
        const isStored = yield* ask(about("import"), Sessions.importFile(file, { allowUnsigned: dice.below(2) === 0 }))
        const stored = NodeFs.readdirSync(sessions)
        if (!isStored && stored.length > 0) findings.push(`${about("import")}: failed and stored ${stored.join()}`)
        for (const name of stored) NodeFs.rmSync(`${sessions}/${name}`, { recursive: true })
      }
      if (number % 500 === 0) heap = Math.max(heap, process.memoryUsage().heapUsed)
    }
    isHooked = false
  }).pipe(Effect.provide(layer))
  if (heap > maxHeap) findings.push(`the heap grew to ${heap} bytes`)
  return { findings, outcomes, heap }
}, Effect.scoped)
