/**
 * Real files, as the library wrote them: snapshots, journals and exports of two
 * sessions in several versions, and what is in them.
 */
import { Effect, Option, Result } from "effect"
import * as NodeFs from "node:fs"
import * as Journal from "../../src/core/Journal.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import { type SessionEvent, type SessionId, Sessions, Signer } from "../../src/index.ts"
import * as Forge from "./forge.ts"
import * as World from "./world.ts"

export interface RealFile {
  readonly kind: "snapshot" | "journal" | "export"
  readonly id: SessionId.SessionId
  readonly name: string
  readonly bytes: Uint8Array
}

/** One session at one moment: everything in its directory. */
export interface RealSession {
  readonly id: SessionId.SessionId
  readonly isOpen: boolean
  readonly files: { readonly [name: string]: Uint8Array }
}

export interface Pool {
  readonly files: ReadonlyArray<RealFile>
  readonly sessions: ReadonlyArray<RealSession>
}

const kindOf = (name: string): RealFile["kind"] | undefined =>
  name === "session.json" ? "snapshot" : name.startsWith("journal.") ? "journal" : undefined

/** Two sessions that were created, closed, resumed and interrupted; the store is empty again afterwards. */
export const make = Effect.fnUntraced(function*(
  { project, root, sessions }: { readonly project: string; readonly root: string; readonly sessions: string }
) {
  const files: Array<RealFile> = []
  const moments: Array<RealSession> = []

  const keep = (id: SessionId.SessionId, isOpen: boolean) => {
    const taken = World.take(sessions, id)
    moments.push({ id, isOpen, files: taken })
    for (const [name, bytes] of Object.entries(taken)) {
      const kind = kindOf(name)
      if (kind !== undefined) files.push({ kind, id, name, bytes })
    }
  }

  for (const name of ["first", "second"]) {
    const session = yield* Sessions.create({ project, name, config: World.config, metadata: { of: name } })
    const { id } = session
    yield* session.append({ role: "user", content: `Grüße 🦊 of the ${name}` })
    yield* session.append({ role: "assistant", content: [{ type: "text", text: "well" }] })
    yield* session.replaceTodos([{ content: "one", status: "pending", activeForm: "doing one" }])
    keep(id, true)
    yield* Sessions.close(id)
    keep(id, false)
    for (const round of ["again", "and again"]) {
      const resumed = yield* Sessions.resume(id)
      yield* resumed.recordPrompt(round)
      const append = (number: number) => resumed.append({ role: "user", content: `${round} ${number}` })
      yield* Effect.forEach([1, 2, 3], append, { concurrency: "unbounded" })
      yield* resumed.append({ role: "assistant", content: [{ type: "reasoning", text: `about ${round}` }] })
      keep(id, true)
      yield* Sessions.close(id)
      keep(id, false)
    }
    const file = `${root}/${name}.export.json`
    yield* Sessions.exportTo(id, file)
    files.push({ kind: "export", id, name: "export", bytes: new Uint8Array(NodeFs.readFileSync(file)) })
    World.clear(sessions, id)
  }
  const pool: Pool = { files, sessions: moments }
  return pool
})

/** A journal that was verified: its events, and where each one's line ends. */
export interface Genuine {
  readonly bytes: Uint8Array
  readonly snapshot: string
  readonly events: ReadonlyArray<SessionEvent.Recorded>
  readonly ends: ReadonlyArray<number>
  /** Where the last batch begins. */
  readonly lastBatch: number
}

export const genuine = Effect.fnUntraced(function*({ bytes, id }: RealFile) {
  const keyRing = yield* Signer.Signer
  const { events, snapshot } = yield* Effect.fromResult(Journal.open(keyRing, id, bytes, Forge.rules))
  const text = Buffer.from(bytes)
  const ends: Array<number> = []
  let lastBatch = 0
  for (let from = 0; from < bytes.length;) {
    const end = text.indexOf("\n", from) + 1
    const [, seq, batch] = /^\{"seq":(\d+),"batch":(\d+),/.exec(text.toString("utf8", from, end)) ?? []
    if (seq !== undefined && seq === batch) lastBatch = from
    ends.push(end)
    from = end
  }
  const found: Genuine = { bytes, snapshot, events, ends, lastBatch }
  return found
})

/** Whether a document opens as this session's. */
export const opens = (
  keyRing: Signer.Signer["Service"],
  id: SessionId.SessionId,
  bytes: Uint8Array,
  purpose: Snapshot.Purpose = "snapshot"
): boolean => Result.isSuccess(Snapshot.open(keyRing, id, bytes, { ...Forge.rules, purpose }))

export const signatureIn = (bytes: Uint8Array): string =>
  Option.getOrElse(
    Option.fromUndefinedOr(/"signature":"([^"]*)"\}$/.exec(Buffer.from(bytes).toString("latin1"))?.[1]),
    () => ""
  )
