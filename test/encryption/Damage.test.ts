/** Damage to an encrypted session: told as it is without encryption, byte for byte and line for line. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Session, SessionId, SessionStore, Signer, Timestamp } from "effect-reprise"
import { TestLiveness, TestSessions } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Migration from "../../src/core/Migration.ts"
import * as StoredSession from "../../src/core/StoredSession.ts"
import * as Encrypted from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"

const id = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
const at = Timestamp.Timestamp.make("2026-01-31T09:30:00.000Z")
const state = Session.empty({
  id,
  name: "damaged",
  projectPath: "/project",
  config: Rig.config,
  createdAt: at,
  updatedAt: at,
  metadata: {}
})

/** What is written in each write: three, of one, two and one prompts. */
const batches = [["one"], ["two", "three"], ["four"]]

/** A session that was interrupted, in a store that encrypts or in one that does not, and what is read of it. */
const scene = Effect.fnUntraced(function*(isEncrypted: boolean) {
  const { sessions } = yield* Rig.workspace
  const platform = Layer.mergeAll(Rig.layerPlatform, TestLiveness.machine().process().layer)
  const store = isEncrypted
    ? Encrypted.layerFiles(sessions)
    : SessionStore.layerFileSystem({ directory: sessions })
  const context = yield* Layer.build(
    Layer.fresh(Layer.merge(store, TestSessions.layerSigner)).pipe(Layer.provide(platform))
  )
  const signer = yield* Effect.provide(Signer.Signer, context)
  yield* Effect.scoped(Effect.gen(function*() {
    const { create } = yield* SessionStore.SessionStore
    const { journal, snapshot } = yield* Effect.fromOption(
      StoredSession.begin(signer, state, [], { epoch: SessionStore.firstEpoch, part: 0 })
    )
    const claim = yield* create(id, snapshot.bytes, journal.firstLine)
    for (const batch of batches) {
      yield* claim.append(
        journal.encode(
          batch.map((prompt) => ({ at, json: Buffer.from(JSON.stringify({ _tag: "PromptRecorded", prompt })) }))
        )
      )
    }
  })).pipe(Effect.provide(context))

  /** The prompts that are read and whether anything was left out, or why none is. */
  const outcome = Effect.gen(function*() {
    const stored = yield* SessionStore.SessionStore.use(({ read }) => read(id))
    const { state: { promptHistory }, torn } = yield* Effect.fromResult(
      StoredSession.open(signer, id, stored, { maxDepth: 64, format: Migration.current })
    )
    return `${promptHistory.join()}${torn > 0 ? " and a torn write" : ""}`
  }).pipe(
    Effect.provide(context),
    Effect.catch((error) =>
      Effect.succeed(
        "reason" in error ? `${error._tag} ${error.reason._tag} ${JSON.stringify(error.reason)}` : error._tag
      )
    )
  )
  const file = (name: string) => `${sessions}/${id}/${name}`
  const journal = file("journal.1.0.jsonl")
  const lines = NodeFs.readFileSync(journal, "latin1").split("\n").slice(0, -1)
  return { file, journal, lines, outcome }
})

/** Breaks a line where its content is, and nothing that stands around it. */
const broken = (line: string) => {
  const middle = Math.floor(line.length * 0.6)
  return `${line.slice(0, middle)}${line[middle] === "A" ? "B" : "A"}${line.slice(middle + 1)}`
}

const whole = (lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
const without = (lines: ReadonlyArray<string>, ...gone: ReadonlyArray<number>) =>
  whole(lines.filter((_, index) => !gone.includes(index)))
const changed = (lines: ReadonlyArray<string>, ...at: ReadonlyArray<number>) =>
  whole(lines.map((line, index) => at.includes(index) ? broken(line) : line))
const swapped = (lines: ReadonlyArray<string>, one: number, other: number) =>
  whole(lines.map((line, index) => (index === one ? lines[other] : index === other ? lines[one] : line) ?? ""))
const cutIn = (lines: ReadonlyArray<string>, last: number) => {
  const line = lines[last] ?? ""
  return whole(lines.slice(0, last)) + line.slice(0, Math.floor(line.length / 2))
}

const damages: ReadonlyArray<readonly [string, (lines: ReadonlyArray<string>) => string]> = [
  ["none", whole],
  ...[1, 2, 3, 4].map((line) =>
    [`a bad line ${line + 1}`, (lines: ReadonlyArray<string>) => changed(lines, line)] as const
  ),
  ...[1, 2, 3, 4].map((line) =>
    [`no line ${line + 1}`, (lines: ReadonlyArray<string>) => without(lines, line)] as const
  ),
  ...[1, 2, 3, 4].map((line) =>
    [`an end in line ${line + 1}`, (lines: ReadonlyArray<string>) => cutIn(lines, line)] as const
  ),
  ["bad lines 4 and 5", (lines) => changed(lines, 3, 4)],
  ["bad lines 2 to 5", (lines) => changed(lines, 1, 2, 3, 4)],
  ["no lines 3 and 4", (lines) => without(lines, 2, 3)],
  ["no lines 4 and 5", (lines) => without(lines, 3, 4)],
  ["lines 2 and 3 swapped", (lines) => swapped(lines, 1, 2)],
  ["lines 3 and 4 swapped", (lines) => swapped(lines, 2, 3)],
  ["lines 4 and 5 swapped", (lines) => swapped(lines, 3, 4)],
  ["no newline behind line 5", (lines) => whole(lines).slice(0, -1)],
  ["no newline behind line 4", (lines) => whole(lines.slice(0, 4)).slice(0, -1) + whole(lines.slice(4))],
  ["line 5 twice", (lines) => whole(lines) + whole(lines.slice(4))],
  ["line 2 twice", (lines) => whole(lines) + whole(lines.slice(1, 2))],
  ["words behind it", (lines) => `${whole(lines)}words\n`]
]

describe("An encrypted journal", () => {
  it.effect("is read, cut or refused, damaged in any way, as one that is not encrypted", () =>
    Effect.gen(function*() {
      const [plain, encrypted] = [yield* scene(false), yield* scene(true)]
      assert.strictEqual(plain.lines.length, encrypted.lines.length)
      const found: Array<string> = []
      for (const [name, damage] of damages) {
        NodeFs.writeFileSync(plain.journal, damage(plain.lines), "latin1")
        NodeFs.writeFileSync(encrypted.journal, damage(encrypted.lines), "latin1")
        const expected = yield* plain.outcome
        assert.strictEqual(yield* encrypted.outcome, expected, name)
        found.push(expected.replace(/ \{.*/, ""))
      }
      assert.includeMembers(found, ["InvalidJson BrokenJournal", "one and a torn write", "one,two,three,four"])
    }))

  it.effect("loses nothing that was acknowledged to a byte that changes, but what was written last", () =>
    Effect.gen(function*() {
      const { journal, outcome } = yield* scene(true)
      const bytes = NodeFs.readFileSync(journal)
      const lastWrite = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1
      const outcomes = new Set<string>()
      for (let at = 0; at < bytes.length; at += 11) {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ (1 << (at % 7))
        NodeFs.writeFileSync(journal, copy)
        const found = yield* outcome
        const isRefused = found.startsWith("InvalidJson ")
        const isCut = at >= lastWrite - 1 && found === "one,two,three and a torn write"
        assert.isTrue(isRefused || isCut, `byte ${at}: ${found}`)
        outcomes.add(found.replace(/ \{.*/, ""))
      }
      assert.isAbove(outcomes.size, 2)
    }))
})

describe("An encrypted snapshot", () => {
  it.effect("is refused with any byte changed, and cut anywhere", () =>
    Effect.gen(function*() {
      const { file, outcome } = yield* scene(true)
      const bytes = NodeFs.readFileSync(file("session.json"))
      for (let at = 0; at < bytes.length; at += 13) {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
        NodeFs.writeFileSync(file("session.json"), copy)
        assert.match(yield* outcome, /^InvalidJson /, `byte ${at}`)
      }
      for (let length = 0; length < bytes.length; length += 67) {
        NodeFs.writeFileSync(file("session.json"), bytes.subarray(0, length))
        assert.match(yield* outcome, /^InvalidJson /, `${length} bytes`)
      }
      NodeFs.writeFileSync(file("session.json"), bytes)
      assert.strictEqual(yield* outcome, "one,two,three,four")
    }))
})
