/**
 * What stands in for a real file. Every bit of small documents is flipped in the
 * tests of `core`; here whole files are cut, spliced and relabelled.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random, Result, Stream } from "effect"
import { type SessionError, type SessionId, Sessions, Signer, Supervisor } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as Journal from "../../src/core/Journal.ts"
import * as Text from "../../src/core/Text.ts"
import * as Forge from "./forge.ts"
import * as Pool from "./pool.ts"
import * as World from "./world.ts"

type Space = Effect.Success<typeof World.workspace> & { readonly pool: Pool.Pool }

/** Runs a test over a store that is empty, and files that a store wrote. */
const withFiles = <A, E>(program: (space: Space) => Effect.Effect<A, E, World.Services>) =>
  Effect.gen(function*() {
    const workspace = yield* World.workspace
    return yield* Effect.provide(
      Effect.flatMap(Pool.make(workspace), (pool) => program({ ...workspace, pool })),
      World.layer(workspace)
    )
  }).pipe(Effect.scoped)

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const without = (bytes: Uint8Array, at: number) => Text.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
const doubled = (bytes: Uint8Array, at: number) => Text.concat([bytes.subarray(0, at + 1), bytes.subarray(at)])
const flipped = (bytes: Uint8Array, at: number, bit: number) =>
  Uint8Array.from(bytes, (byte, index) => index === at ? byte ^ (1 << bit) : byte)

/** A file with one place changed in each of several ways. */
const changedAt = (bytes: Uint8Array, at: number): ReadonlyArray<readonly [string, Uint8Array]> => [
  [`bit ${(at * 5) % 8} of byte ${at} flipped`, flipped(bytes, at, (at * 5) % 8)],
  [`byte ${at} removed`, without(bytes, at)],
  [`byte ${at} doubled`, doubled(bytes, at)]
]

const commonPrefix = (one: Uint8Array, other: Uint8Array): number => {
  const end = Math.min(one.length, other.length)
  for (let at = 0; at < end; at++) if (one[at] !== other[at]) return at
  return end
}

describe("A snapshot or an export", () => {
  it.live(
    "is refused with any byte flipped, removed or doubled, and cut anywhere",
    () =>
      withFiles(({ pool }) =>
        Effect.gen(function*() {
          const keyRing = yield* Signer.Signer
          const believed: Array<string> = []
          let tried = 0
          const [snapshot] = pool.files.filter(({ kind }) => kind === "snapshot")
          const [exported] = pool.files.filter(({ kind }) => kind === "export")
          for (const { bytes, id, kind, name } of [snapshot, exported].filter((file) => file !== undefined)) {
            const purpose = kind === "export" ? kind : "snapshot"
            assert.isTrue(Pool.opens(keyRing, id, bytes, purpose))
            for (let at = 0; at < bytes.length; at++) {
              for (
                const [what, changed] of [...changedAt(bytes, at), [`cut at ${at}`, bytes.subarray(0, at)] as const]
              ) {
                tried++
                if (Pool.opens(keyRing, id, changed, purpose)) believed.push(`${name}: ${what}`)
              }
            }
          }
          assert.deepStrictEqual(believed, [])
          assert.isAbove(tried, 8_000)
        })
      ),
    60_000
  )

  it.live("is refused in the place of the other, and in that of another session", () =>
    withFiles(({ pool }) =>
      Effect.gen(function*() {
        const keyRing = yield* Signer.Signer
        const ids = new Set(pool.files.map(({ id }) => id))
        for (const { bytes, id, kind } of pool.files) {
          for (const other of ids) {
            for (const purpose of ["snapshot", "export"] as const) {
              assert.strictEqual(Pool.opens(keyRing, other, bytes, purpose), other === id && kind === purpose)
            }
          }
        }
      })
    ))
})

/** What a journal gives that shares its beginning with a real one: exactly the lines that are whole in there. */
const judge = (
  opened: Journal.Opened,
  bytes: Uint8Array,
  real: Pool.Genuine
): string | undefined => {
  const shared = commonPrefix(bytes, real.bytes)
  const whole = real.ends.filter((end) => end <= shared)
  const events = real.events.slice(0, Math.max(0, whole.length - 1))
  if (JSON.stringify(opened.events) !== JSON.stringify(events)) {
    return `${opened.events.length} events of ${events.length}`
  }
  return opened.torn === bytes.length - (whole.at(-1) ?? 0) ? undefined : `${opened.torn} bytes reported as torn`
}

describe("A journal", () => {
  it.live(
    "is refused with any byte flipped, removed or doubled before its last batch, and cut there within it",
    () =>
      withFiles(({ pool }) =>
        Effect.gen(function*() {
          const keyRing = yield* Signer.Signer
          const wrong: Array<string> = []
          for (const file of pool.files.filter(({ kind }) => kind === "journal").slice(0, 1)) {
            const real = yield* Pool.genuine(file)
            assert.isAbove(real.events.length, 2)
            assert.isAbove(real.lastBatch, 0)
            for (let at = 0; at < file.bytes.length; at++) {
              for (const [what, changed] of changedAt(file.bytes, at)) {
                const opened = Journal.open(keyRing, file.id, changed, Forge.rules)
                if (Result.isFailure(opened)) {
                  if (at >= real.lastBatch) wrong.push(`${what}: refused with ${nameOf(opened.failure)}`)
                  // A byte that comes before the last batch's first one is damage to that batch.
                } else if (at < real.lastBatch && changed.length <= file.bytes.length) wrong.push(`${what}: believed`)
                else {
                  const fault = judge(opened.success, changed, real)
                  if (fault !== undefined) wrong.push(`${what}: ${fault}`)
                }
              }
            }
          }
          assert.deepStrictEqual(wrong, [])
        })
      ),
    60_000
  )

  it.live(
    "gives its whole lines and reports the rest, wherever it is cut",
    () =>
      withFiles(({ pool }) =>
        Effect.gen(function*() {
          const keyRing = yield* Signer.Signer
          for (const file of pool.files.filter(({ kind }) => kind === "journal").slice(0, 2)) {
            const real = yield* Pool.genuine(file)
            for (let at = 0; at < file.bytes.length; at++) {
              const cut = file.bytes.subarray(0, at)
              const opened = Journal.open(keyRing, file.id, cut, Forge.rules)
              if (at < (real.ends[0] ?? 0)) assert.isTrue(Result.isFailure(opened), `cut at ${at}`)
              else assert.isUndefined(judge(Result.getOrThrow(opened), cut, real), `cut at ${at}`)
            }
          }
        })
      ),
    60_000
  )
})

describe("Pieces of two real files", () => {
  const splices = 2000

  /** Where a piece begins or ends: anywhere, at a line, or where the other one does. */
  const cutPoint = Effect.fnUntraced(function*(bytes: Uint8Array, other: number) {
    const way = yield* Random.nextIntBetween(0, 3)
    if (way === 0) return Math.min(other, bytes.length)
    const at = yield* Random.nextIntBetween(0, bytes.length)
    return way === 1 ? at : bytes.indexOf(0x0a, at) + 1
  })

  it.live(
    `never pass for a file, or add anything to a journal that did not happen (${splices} splices)`,
    () =>
      withFiles(({ pool }) =>
        Effect.gen(function*() {
          const keyRing = yield* Signer.Signer
          const journals = yield* Effect.forEach(pool.files.filter(({ kind }) => kind === "journal"), Pool.genuine)
          const isReal = (bytes: Uint8Array, { id, kind }: Pick<Pool.RealFile, "id" | "kind">) =>
            pool.files.some((file) => file.id === id && file.kind === kind && Buffer.compare(file.bytes, bytes) === 0)
          const wrong: Array<string> = []
          const counts = { refused: 0, cut: 0 }
          for (let number = 0; number < splices; number++) {
            const [one, other] = [yield* Random.choice(pool.files), yield* Random.choice(pool.files)]
            const { id } = one
            const until = yield* cutPoint(one.bytes, 0)
            const from = yield* cutPoint(other.bytes, until)
            const bytes = Text.concat([one.bytes.subarray(0, until), other.bytes.subarray(from)])
            const what = `${number}: ${one.name} to ${until}, ${other.name} from ${from}`
            for (const kind of ["snapshot", "export"] as const) {
              if (!Pool.opens(keyRing, id, bytes, kind)) counts.refused++
              else if (!isReal(bytes, { id, kind })) wrong.push(`${what}: passes for a ${kind}`)
            }
            const opened = Journal.open(keyRing, id, bytes, Forge.rules)
            if (Result.isFailure(opened)) {
              counts.refused++
              continue
            }
            counts.cut++
            const [real] = journals
              .filter(({ snapshot }) => snapshot === opened.success.snapshot)
              .map((journal) => ({ journal, shared: commonPrefix(journal.bytes, bytes) }))
              .sort((self, that) => that.shared - self.shared)
            const fault = real === undefined ? "passes for a journal" : judge(opened.success, bytes, real.journal)
            if (fault !== undefined) wrong.push(`${what}: ${fault}`)
          }
          assert.deepStrictEqual(wrong, [])
          assert.isAbove(counts.refused, splices * 2)
          assert.isAbove(counts.cut, 100)
        }).pipe(Random.withSeed(4))
      ),
    120_000
  )
})

/** Everything that reads a stored session. */
const readers: {
  readonly [name: string]: (
    id: SessionId.SessionId
  ) => Effect.Effect<unknown, SessionError.SessionError, World.Services>
} = {
  load: (id) => Sessions.load(id),
  verify: (id) => Sessions.verify(id),
  resume: (id) => Sessions.resume(id),
  export: (id) => Sessions.exportTo(id, "/nowhere/at/all.json"),
  rename: (id) => Sessions.rename(id, "renamed")
}

/** How each reader refuses what is in a session's place; nothing runs and nothing changes. */
const refusals = Effect.fnUntraced(function*(sessions: string, id: SessionId.SessionId) {
  const supervisor = yield* Supervisor.Supervisor
  const before = World.pictureOf(sessions)
  const answers: Array<string> = []
  for (const [name, read] of Object.entries(readers)) {
    const exit = yield* Effect.exit(Effect.flip(Effect.asVoid(read(id))))
    answers.push(Exit.isSuccess(exit) ? nameOf(exit.value) : `${name} took it`)
  }
  assert.deepStrictEqual(yield* supervisor.running, [])
  assert.strictEqual(World.pictureOf(sessions), before)
  const listed = yield* Stream.runCollect(Sessions.list())
  assert.deepStrictEqual(listed.map((entry) => entry._tag === "Foreign" ? "" : entry.id), [id])
  return [...new Set(answers)]
})

describe("A changed file in a store", () => {
  it.live(
    "is refused by every operation, which starts nothing and changes nothing",
    () =>
      withFiles(({ pool, root, sessions }) =>
        Effect.gen(function*() {
          const wrong: Array<string> = []
          for (const { files, id, isOpen } of pool.sessions.slice(0, 3)) {
            for (const [name, bytes] of Object.entries(files)) {
              if (name.startsWith("lease")) continue
              const isJournal = name !== "session.json"
              for (let at = 3; at < bytes.length; at += 167) {
                // The last batch of a journal may be torn: it is cut, which other tests tell.
                if (isJournal && at > bytes.length * 0.4) continue
                for (const [what, changed] of changedAt(bytes, at)) {
                  World.put(sessions, id, { ...files, [name]: changed })
                  const answers = yield* refusals(sessions, id)
                  if (answers.length !== 1 || !answers[0]?.startsWith("InvalidJson/")) {
                    wrong.push(`${isOpen ? "open" : "closed"}, ${name}, ${what}: ${answers.join()}`)
                  }
                  NodeFs.writeFileSync(`${root}/file.json`, changed)
                  const imported = yield* Effect.flip(Sessions.importFile(`${root}/file.json`))
                  if (imported._tag !== "InvalidJson") wrong.push(`${name}, ${what}, import: ${imported._tag}`)
                }
              }
            }
            World.clear(sessions, id)
          }
          assert.deepStrictEqual(wrong, [])
        })
      ),
    60_000
  )

  it.live("is cut where a last batch was damaged, says how much, and goes on from there", () =>
    withFiles(({ pool, sessions }) =>
      Effect.gen(function*() {
        for (const { files, id } of pool.sessions.filter(({ isOpen }) => isOpen).slice(0, 2)) {
          const [name = "", bytes = new Uint8Array()] = Object.entries(files).find(([name]) =>
            name.startsWith("journal")
          )
            ?? []
          const real = yield* Pool.genuine({ kind: "journal", id, name, bytes })
          World.put(sessions, id, { ...files, [name]: flipped(bytes, real.lastBatch + 20, 1) })
          const { report, state } = yield* Sessions.load(id)
          assert.strictEqual(report.torn, bytes.length - real.lastBatch)
          assert.strictEqual(report.events, real.ends.filter((end) => end <= real.lastBatch).length - 1)
          const resumed = yield* Sessions.resume(id)
          assert.deepStrictEqual(yield* resumed.state, state)
          yield* Sessions.close(id)
          World.clear(sessions, id)
        }
      })
    ))
})

describe("A signature", () => {
  interface Forgery {
    readonly unsigned: Uint8Array
    readonly own: string
    readonly others: { readonly [name: string]: string }
    readonly resigned: (version: number, bytes?: Uint8Array) => string
  }
  const member = (value: string) => `,"signature":${value}}`
  const quoted = (text: string) => member(`"${text}"`)
  const relabelled = (text: string, algorithm: string, keyId = "test") =>
    quoted(text.replace(/^hs256\.test/, `${algorithm}.${keyId}`))

  const forgeries: { readonly [what: string]: (forgery: Forgery) => string | Uint8Array } = {
    "is missing": () => "}",
    "is null": () => member("null"),
    "is a number": () => member("12345678901234567890"),
    "is true": () => member("true"),
    "is an object": ({ own }) => member(`{"hs256":"${own}"}`),
    "is a list": ({ own }) => member(`["${own}"]`),
    "is empty": () => quoted(""),
    "stands twice": ({ own }) => `,"signature":"${own}","signature":"${own}"}`,
    "stands twice, the first one wrong": ({ others, own }) => `,"signature":"${others["older"]}","signature":"${own}"}`,
    "is not the last member": ({ own }) => `,"signature":"${own}","x":1}`,
    "is followed by a newline": ({ own }) => `${quoted(own)}\n`,
    "has a space before it": ({ own }) => `, "signature":"${own}"}`,
    "is written with an escape": ({ own }) => `,"signatur\\u0065":"${own}"}`,
    "is that of another session": ({ others }) => quoted(others["session"] ?? ""),
    "is that of an older file of the same session": ({ others }) => quoted(others["older"] ?? ""),
    "is that of the same session's export": ({ others }) => quoted(others["export"] ?? ""),
    "is the last MAC of the session's journal": ({ others }) => quoted(`hs256.test.${others["journal"] ?? ""}`),
    "is of an older format version": ({ resigned }) => quoted(resigned(1)),
    "is of a newer format version": ({ resigned }) => quoted(resigned(3)),
    "is of another algorithm": ({ own }) => relabelled(own, "hs512"),
    "is of no algorithm": ({ own }) => relabelled(own, "none"),
    "names its algorithm in capitals": ({ own }) => relabelled(own, "HS256"),
    "names a key that is not there": ({ own }) => relabelled(own, "hs256", "stranger"),
    "names no key": ({ own }) => relabelled(own, "hs256", ""),
    "names a prototype key": ({ own }) => relabelled(own, "hs256", "__proto__"),
    "is of zeros": () => quoted(`hs256.test.${"A".repeat(43)}`),
    "is cut": ({ own }) => quoted(own.slice(0, -1)),
    "is padded": ({ own }) => quoted(`${own}=`),
    "is in capitals": ({ own }) => quoted(own.replace(/[^.]+$/, (mac) => mac.toUpperCase())),
    "covers another version": ({ resigned, unsigned }) => {
      const older = Text.toBytes(new TextDecoder().decode(unsigned).replace(`"version":2`, `"version":1`))
      return Text.concat([older, Text.toBytes(quoted(resigned(1, older)))])
    }
  }

  it.live.each(Object.keys(forgeries))(
    "that %s is refused by every operation",
    (what) =>
      withFiles(({ pool, root, sessions }) =>
        Effect.gen(function*() {
          const keyRing = yield* Signer.Signer
          const newest = (kind: string, id: SessionId.SessionId, back = 1) =>
            pool.files.filter((file) => file.kind === kind && file.id === id).at(-back)?.bytes ?? new Uint8Array()
          const [id, other] = [...new Set(pool.files.map(({ id }) => id))]
          assert.isDefined(id)
          assert.isDefined(other)
          const forge = forgeries[what]
          assert.isDefined(forge)
          for (const [kind, domain] of [["snapshot", "snapshot"], ["export", "export"]] as const) {
            const genuine = newest(kind, id)
            const unsigned = Forge.unsigned(genuine)
            const forged = forge({
              unsigned,
              own: Pool.signatureIn(genuine),
              others: {
                session: Pool.signatureIn(newest(kind, other)),
                older: Pool.signatureIn(newest("snapshot", id, 3)),
                export: Pool.signatureIn(newest(kind === "export" ? "snapshot" : "export", id)),
                journal: /"mac":"([^"]*)"\}\n$/.exec(Buffer.from(newest("journal", id)).toString())?.[1] ?? ""
              },
              resigned: (version, bytes = unsigned) => Forge.signatureOf(keyRing, bytes, { id, version, domain })
            })
            const bytes = typeof forged === "string" ? Text.concat([unsigned, Text.toBytes(forged)]) : forged
            assert.notDeepEqual(bytes, genuine)
            if (kind === "snapshot") {
              World.put(sessions, id, { "session.json": bytes })
              const answers = yield* refusals(sessions, id)
              assert.strictEqual(answers.length, 1)
              assert.match(answers.join(), /^(InvalidJson\/|SchemaVersion$)/)
              World.clear(sessions, id)
            } else {
              NodeFs.writeFileSync(`${root}/file.json`, bytes)
              const imported = yield* Effect.flip(Sessions.importFile(`${root}/file.json`))
              assert.match(imported._tag, /^(InvalidJson|SchemaVersion)$/)
              assert.isFalse(NodeFs.existsSync(`${sessions}/${id}`))
            }
          }
        })
      )
  )
})
