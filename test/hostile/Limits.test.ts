/** Every limit from both sides, of the writer and of the reader. Sizes on disk are in the tests of load and writer. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, type Schema } from "effect"
import { type Session, type SessionError, SessionLimits, Sessions, Signer } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Text from "../../src/core/Text.ts"
import * as Forge from "./forge.ts"
import * as World from "./world.ts"

type Space = Effect.Success<typeof World.workspace>

const withStore = <A, E>(
  program: (space: Space) => Effect.Effect<A, E, World.Services>,
  limits: Partial<SessionLimits.Limits> = {}
) =>
  Effect.gen(function*() {
    const workspace = yield* World.workspace
    return yield* Effect.provide(program(workspace), World.layer({ sessions: workspace.sessions, limits }))
  }).pipe(Effect.scoped)

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

/** How an operation ends, in a word. */
const ending = <A, R>(operation: Effect.Effect<A, SessionError.SessionError, R>) =>
  Effect.match(operation, { onFailure: nameOf, onSuccess: () => "success" })

const nested = (levels: number): Schema.Json => levels === 1 ? [] : [nested(levels - 1)]

/** How load takes a signed document in which a piece of text is replaced. */
const loadWith = Effect.fnUntraced(
  function*({ project, sessions }: Space, from: string, to: string, value: string = "null") {
    const keyRing = yield* Signer.Signer
    const document = new TextDecoder().decode(Forge.documentAround(Text.toBytes(value), project))
    assert.include(document, from)
    World.put(sessions, Forge.id, { "session.json": Forge.sign(keyRing, Text.toBytes(document.replace(from, to))) })
    const answer = yield* ending(Sessions.load(Forge.id))
    World.clear(sessions, Forge.id)
    return answer
  }
)

/** How create and configure take a configuration. */
const writeConfig = Effect.fnUntraced(function*({ project }: Space, config: Session.SessionConfig) {
  const created = yield* ending(
    Effect.flatMap(Sessions.create({ project, name: "x", config }), ({ id }) => Sessions.close(id))
  )
  const session = yield* Sessions.create({ project, name: "x", config: World.config })
  const configured = yield* ending(session.configure(config))
  yield* Sessions.close(session.id)
  return [created, configured]
})

describe("The limits", () => {
  it("are those that are promised", () => {
    const {
      cleanupAge,
      maxBytes,
      maxDepth,
      maxRunning,
      maxStored,
      resumeOverall,
      resumePerSession,
      resumeWindow,
      warnAt
    } = SessionLimits.defaults
    assert.deepStrictEqual(
      [maxBytes, maxDepth, maxRunning, maxStored, resumeOverall, resumePerSession, warnAt],
      [10 * 1024 * 1024, 64, 10, 100, 20, 5, 0.8]
    )
    assert.deepStrictEqual([Duration.toSeconds(resumeWindow), Duration.toDays(cleanupAge)], [60, 30])
  })

  it.live(
    "keep a session of the whole 10 MiB, which is saved and loaded, and refuse one byte more",
    () =>
      withStore(({ project }) =>
        Effect.gen(function*() {
          const { maxBytes } = SessionLimits.defaults
          const session = yield* Sessions.create({ project, name: "full", config: World.config })
          const full = yield* Effect.flip(session.recordPrompt("x".repeat(maxBytes)))
          assert.strictEqual(nameOf(full), "EventRejected/TooLarge")
          if (full._tag !== "EventRejected" || full.reason._tag !== "TooLarge") return
          const fits = maxBytes - (full.reason.bytes - maxBytes)
          assert.strictEqual(yield* ending(session.recordPrompt("x".repeat(fits + 1))), "EventRejected/TooLarge")
          yield* session.recordPrompt("x".repeat(fits))
          assert.strictEqual(yield* ending(session.recordPrompt("")), "EventRejected/TooLarge")
          yield* Sessions.close(session.id)
          const { report } = yield* Sessions.load(session.id)
          assert.isAtMost(report.bytes, maxBytes)
          assert.isAbove(report.bytes, maxBytes - 4096)
          yield* Sessions.resume(session.id)
          yield* Sessions.close(session.id)
        })
      ),
    60_000
  )

  it.live("hold at the last session that may be stored, and refuse the next until one is removed", () =>
    withStore(({ project }) =>
      Effect.gen(function*() {
        const create = Effect.tap(
          Sessions.create({ project, name: "x", config: World.config }),
          ({ id }) => Sessions.close(id)
        )
        const first = yield* create
        for (const _ of [2, 3, 4]) yield* create
        assert.strictEqual(yield* ending(create), "CreateFailed/TooManyStored")
        yield* Sessions.remove(first.id)
        assert.strictEqual(yield* ending(create), "success")
        assert.strictEqual(yield* ending(Sessions.restore(first.id)), "CreateFailed/TooManyStored")
      }), { maxStored: 4 }))

  it.live("let ten sessions run, and refuse the eleventh to create and to resume", () =>
    withStore(({ project, root }) =>
      Effect.gen(function*() {
        const closed = yield* Sessions.create({ project, name: "x", config: World.config })
        yield* Sessions.close(closed.id)
        for (let number = 0; number < 11; number++) {
          NodeFs.mkdirSync(`${root}/${number}`)
          const created = yield* ending(
            Sessions.create({ project: `${root}/${number}`, name: "x", config: World.config })
          )
          assert.strictEqual(created, number < 10 ? "success" : "CreateFailed/TooManyRunning")
        }
        assert.strictEqual(yield* ending(Sessions.resume(closed.id)), "RestoreFailed/TooManyRunning")
      })
    ))

  it.live("take names of 1 to 50 graphemes, from writers and readers alike", () =>
    withStore((space) =>
      Effect.gen(function*() {
        const family = "👨‍👩‍👧‍👦"
        for (const grapheme of ["x", "é", "e\u0301", family]) {
          for (const [count, isTaken] of [[0, false], [1, true], [50, true], [51, false]] as const) {
            const name = grapheme.repeat(count)
            const created = yield* ending(
              Effect.flatMap(
                Sessions.create({ project: space.project, name, config: World.config }),
                ({ id }) => Sessions.close(id)
              )
            )
            assert.strictEqual(created, isTaken ? "success" : "CreateFailed/InvalidSession", `${count} ${grapheme}`)
            const loaded = yield* loadWith(space, `"name":"forged"`, `"name":${JSON.stringify(name)}`)
            assert.strictEqual(loaded, isTaken ? "success" : "InvalidJson/Shape", `${count} ${grapheme}`)
          }
        }
      })
    ))

  it.live("take project paths of 4,096 bytes and no more, from writers and readers alike", () =>
    withStore((space) =>
      Effect.gen(function*() {
        for (
          const [path, isTaken] of [
            [`/${"x".repeat(4095)}`, true],
            [`/${"x".repeat(4096)}`, false],
            [`/${"漢".repeat(1365)}`, true],
            [`/${"漢".repeat(1366)}`, false]
          ] as const
        ) {
          const created = yield* ending(Sessions.create({ project: path, name: "x", config: World.config }))
          assert.strictEqual(created, isTaken ? "CreateFailed/ProjectMissing" : "CreateFailed/InvalidSession")
          const loaded = yield* loadWith(space, JSON.stringify(space.project), JSON.stringify(path))
          assert.strictEqual(loaded, isTaken ? "success" : "InvalidJson/Shape")
        }
      })
    ))

  it.live("take temperatures of 0 to 2, from writers and readers alike", () =>
    withStore((space) =>
      Effect.gen(function*() {
        for (const [temperature, isTaken] of [[0, true], [2, true], [-0.001, false], [2.001, false]] as const) {
          const written = yield* writeConfig(space, { ...World.config, temperature })
          assert.deepStrictEqual(
            written,
            isTaken ? ["success", "success"] : ["CreateFailed/InvalidSession", "EventRejected/Invalid"]
          )
          const loaded = yield* loadWith(space, `"temperature":0`, `"temperature":${temperature}`)
          assert.strictEqual(loaded, isTaken ? "success" : "InvalidJson/Shape")
        }
      })
    ))

  it.live("take whole numbers of tokens above 0, from writers and readers alike", () =>
    withStore((space) =>
      Effect.gen(function*() {
        for (
          const [maxTokens, isTaken] of [[1, true], [2 ** 40, true], [0, false], [-1, false], [1.5, false]] as const
        ) {
          const written = yield* writeConfig(space, { ...World.config, maxTokens })
          assert.deepStrictEqual(
            written,
            isTaken ? ["success", "success"] : ["CreateFailed/InvalidSession", "EventRejected/Invalid"]
          )
          const loaded = yield* loadWith(space, `"maxTokens":1`, `"maxTokens":${maxTokens}`)
          assert.strictEqual(loaded, isTaken ? "success" : "InvalidJson/Shape")
        }
      })
    ))

  it.live("take 64 levels of nesting, and the writer takes no more than the reader", () =>
    withStore((space) =>
      Effect.gen(function*() {
        for (const [levels, isTaken] of [[62, true], [63, false]] as const) {
          const loaded = yield* loadWith(space, "forged", "forged", JSON.stringify(nested(levels)))
          assert.strictEqual(loaded, isTaken ? "success" : "InvalidJson/Shape", `${levels} levels`)
        }
        let taken = 0
        let refused = 0
        for (let levels = 56; levels < 68; levels++) {
          const session = yield* Sessions.create({ project: space.project, name: "deep", config: World.config })
          const answers = [
            yield* ending(session.annotate({ case: nested(levels) })),
            yield* ending(session.append({ role: "user", content: "x", case: nested(levels) })),
            yield* ending(session.configure({ ...World.config, case: nested(levels) })),
            yield* ending(
              session.replaceTodos([{ content: "", status: "pending", activeForm: "", case: nested(levels) }])
            )
          ]
          taken += answers.filter((answer) => answer === "success").length
          refused += answers.filter((answer) => answer === "EventRejected/Invalid").length
          assert.strictEqual(yield* ending(Sessions.load(session.id)), "success", `journal, ${levels} levels`)
          yield* Sessions.close(session.id)
          assert.strictEqual(yield* ending(Sessions.load(session.id)), "success", `snapshot, ${levels} levels`)
        }
        assert.isAbove(taken, 8)
        assert.isAbove(refused, 8)
        assert.strictEqual(taken + refused, 48)
      })
    ))

  it.effect("let a session be resumed five times a minute, and any session twenty times", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* World.workspace
      const layer = Layer.merge(World.layer({ sessions }), NodeSessions.layerResumeLimit)
      yield* Effect.gen(function*() {
        const ids: Array<Session.Session["id"]> = []
        for (let number = 0; number < 5; number++) {
          const { id } = yield* Sessions.create({ project, name: "x", config: World.config })
          yield* Sessions.close(id)
          ids.push(id)
        }
        const [first, , , , last] = ids
        assert.isDefined(first)
        assert.isDefined(last)
        for (const id of ids.slice(0, 4)) {
          for (let number = 0; number < 5; number++) {
            yield* Sessions.resume(id)
            yield* Sessions.close(id)
          }
          assert.strictEqual(yield* ending(Sessions.resume(id)), "RestoreFailed/RateLimited")
        }
        assert.strictEqual(yield* ending(Sessions.resume(last)), "RestoreFailed/RateLimited")
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(yield* ending(Sessions.resume(first)), "RestoreFailed/RateLimited")
        yield* TestClock.adjust("2 seconds")
        yield* Sessions.resume(first)
        yield* Sessions.close(first)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.scoped))

  it.effect("keep a closed session for thirty days, and no longer", () =>
    withStore(({ project }) =>
      Effect.gen(function*() {
        const { id } = yield* Sessions.create({ project, name: "x", config: World.config })
        yield* Sessions.close(id)
        yield* TestClock.adjust(Duration.subtract(Duration.days(30), Duration.minutes(1)))
        yield* Sessions.cleanup()
        assert.strictEqual((yield* Sessions.load(id)).report.status, "closed")
        yield* TestClock.adjust("2 minutes")
        yield* Sessions.cleanup()
        assert.strictEqual((yield* Sessions.load(id)).report.status, "removed")
      })
    ))
})
