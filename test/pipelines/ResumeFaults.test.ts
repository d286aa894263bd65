/**
 * Resuming with a fault at every step of the restore, in every way it can end:
 * nothing runs, nothing is held and nothing has changed (P2, P4).
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, FileSystem, Layer, Option, Path } from "effect"
import { RestoreStep, type RunningSession, Sessions, Supervisor } from "effect-reprise"
import { TestLiveness } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeCrypto from "node:crypto"
import * as Rig from "../suites/rig.ts"

type Status = "closed" | "interrupted"

/** One way in which a resume can end early. */
interface Fault {
  /** Happens where the resume is struck. */
  readonly strike: <E>(error: E) => Effect.Effect<void, E>
  readonly attempt: <A, E>(resume: Effect.Effect<A, E>) => Effect.Effect<Exit.Exit<A, E | Cause.TimeoutError>>
}

const failure: Effect.Effect<Fault> = Effect.succeed({ strike: Effect.fail, attempt: Effect.exit })

const defect: Effect.Effect<Fault> = Effect.succeed({
  strike: () => Effect.die(new Error("injected")),
  attempt: Effect.exit
})

/** Where the resume is struck it waits until `end` has been called for. */
const whileItWaits = (
  end: <A, E>(fiber: Fiber.Fiber<A, E>) => Effect.Effect<void>,
  limited: <A, E>(resume: Effect.Effect<A, E>) => Effect.Effect<A, E | Cause.TimeoutError>
): Effect.Effect<Fault> =>
  Effect.gen(function*() {
    const reached = yield* Deferred.make<void>()
    const goOn = yield* Deferred.make<void>()
    return {
      strike: () => Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn)),
      attempt: (resume) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(limited(resume))
          yield* Effect.raceFirst(Deferred.await(reached), Effect.asVoid(Fiber.await(fiber)))
          if (yield* Deferred.isDone(reached)) yield* end(fiber)
          yield* Deferred.succeed(goOn, undefined)
          return yield* Fiber.await(fiber)
        })
    }
  })

const interruption = whileItWaits(
  (fiber) => Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true }),
  (resume) => resume
)

const timeout = whileItWaits(() => TestClock.adjust("1 minute"), Effect.timeout("1 minute"))

const faults = [
  { name: "a typed failure", fault: failure, outcomes: ["RestoreFailed/StepFailed"] },
  { name: "a defect", fault: defect, outcomes: ["defect"] },
  { name: "an interruption", fault: interruption, outcomes: ["interruption"] },
  { name: "a timeout", fault: timeout, outcomes: ["TimeoutError"] }
]

/** How a resume ended, in a word. */
const outcomeOf = (cause: Cause.Cause<Sessions.ResumeError | Cause.TimeoutError>): string =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => Cause.hasInterruptsOnly(cause) ? "interruption" : "defect",
    onSome: (error) => error._tag === "RestoreFailed" ? `${error._tag}/${error.reason._tag}` : error._tag
  })

const tool = { id: "call-1", name: "read", providerOptions: { cache: true } }

/** Something of everything a session holds. */
const fill = Effect.fnUntraced(function*(session: RunningSession) {
  yield* session.append({ role: "user", content: "how are you, Grüße 🦊" })
  yield* session.append({
    role: "assistant",
    content: [{ type: "reasoning", text: "hm" }, { type: "tool-call", ...tool, params: { path: "a" } }],
    usage: { inputTokens: 12, outputTokens: 3, totalCost: 0.25 }
  })
  yield* session.append({ role: "tool", content: [{ type: "tool-result", ...tool, isFailure: false, result: [1] }] })
  yield* session.replaceTodos([
    { content: "one", status: "completed", activeForm: "doing one" },
    { content: "two", status: "in_progress", activeForm: "doing two" }
  ])
  yield* session.recordPrompt("how are you")
  yield* session.recordPrompt("go on")
  yield* session.annotate({ origin: "test" })
})

/** SHA-256 of the snapshot and of every journal. */
const digests = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.readDirectory(directory)).filter((name) => /^(?:session\.json|journal\..*)$/.test(name))
  return yield* Effect.forEach(names.toSorted(), (name) =>
    Effect.map(
      fs.readFile(path.join(directory, name)),
      (bytes) => `${name} ${NodeCrypto.createHash("sha256").update(bytes).digest("hex")}`
    ))
}, Effect.provide(Rig.layerPlatform))

/** A process of the world's machine. */
interface Process {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Rig.layer>>>) => Effect.Effect<A, E>
  isAlive: boolean
  readonly kill: Effect.Effect<void>
}

/** A session at rest that several processes of one machine try to resume. */
const makeWorld = Effect.fnUntraced(function*(status: Status) {
  const workspace = yield* Rig.workspace
  const path = yield* Effect.provide(Path.Path, Rig.layerPlatform)
  const machine = TestLiveness.machine()

  const startProcess = Effect.gen(function*() {
    const { layer: liveness, pid } = machine.process()
    const context = yield* Layer.build(Layer.fresh(Rig.layer({ sessions: workspace.sessions, liveness })))
    const process: Process = {
      run: (effect) => Effect.provideContext(effect, context),
      isAlive: true,
      kill: Effect.sync(() => {
        process.isAlive = false
        machine.kill(pid)
      })
    }
    return process
  })

  /** The same process again and again, until it is killed. */
  const aProcess = () => {
    let last: Process | undefined
    return Effect.gen(function*() {
      if (last === undefined || !last.isAlive) last = yield* startProcess
      return last
    })
  }

  const first = yield* startProcess
  const session = yield* first.run(Sessions.create({ project: workspace.project, config: Rig.config }))
  const { id } = session

  /** Brings a running session to rest again, in the status that this world is about; returns what is stored then. */
  const settle = Effect.fnUntraced(function*(process: Process, session: RunningSession) {
    if (status === "closed") {
      yield* process.run(Supervisor.Supervisor.use(({ discard }) => discard(id)))
    } else {
      yield* session.annotate({ origin: "before the end" })
      yield* process.kill
    }
    return { state: yield* session.state, digests: yield* digests(path.join(workspace.sessions, id)) }
  })

  yield* fill(session)
  if (status === "interrupted") {
    yield* session.checkpoint
    yield* fill(session)
  }
  if (status === "closed") yield* first.run(Sessions.close(id))
  const atRest = yield* settle(first, session)
  const observer = yield* startProcess
  assert.strictEqual((yield* observer.run(Sessions.load(id))).report.status, status)
  return {
    id,
    root: workspace.root,
    directory: path.join(workspace.sessions, id),
    one: aProcess(),
    other: aProcess(),
    settle,
    atRest
  }
})

type World = Effect.Success<ReturnType<typeof makeWorld>>

/**
 * Nothing runs, nothing is held, nothing has changed; and a process that lives
 * beside it resumes the session, then leaves it at rest.
 */
const assertNothingHappened = Effect.fnUntraced(function*(
  world: World,
  process: Process,
  before: World["atRest"],
  where: string
) {
  const running = yield* process.run(Supervisor.Supervisor.use(({ running }) => running))
  assert.deepStrictEqual(running, [], `what runs after ${where}`)
  assert.deepStrictEqual(yield* digests(world.directory), before.digests, `what is stored after ${where}`)
  const other = yield* world.other
  const resumed = yield* Effect.exit(other.run(Sessions.resume(world.id)))
  if (!Exit.isSuccess(resumed)) return assert.fail(`not resumable after ${where}: ${String(resumed.cause)}`)
  assert.deepStrictEqual(yield* resumed.value.state, before.state, `what was restored after ${where}`)
  return yield* world.settle(other, resumed.value)
})

describe.concurrent("a resume that is struck at any step of the restore", () => {
  for (const status of ["closed", "interrupted"] as const) {
    for (const { fault: make, name, outcomes } of faults) {
      it.effect(`leaves a session that was ${status} as it was after ${name}`, () =>
        Effect.gen(function*() {
          const world = yield* makeWorld(status)
          const { conversation, promptHistory } = world.atRest.state
          const struck: Array<string> = []
          let before = world.atRest
          for (let number = 0;; number++) {
            const fault = yield* make
            const steps: Array<RestoreStep.Step> = []
            const process = yield* world.one
            const exit = yield* Sessions.resume(world.id).pipe(
              Effect.provideService(
                RestoreStep.RestoreStep,
                Option.some((step) =>
                  Effect.suspend(() => steps.push(step) === number + 1 ? fault.strike("refused") : Effect.void)
                )
              ),
              process.run,
              fault.attempt
            )
            const step = steps[number]
            if (step === undefined) {
              assert.isTrue(Exit.isSuccess(exit))
              break
            }
            const where = `${step.step} ${step.index} of ${step.total}`
            struck.push(where)
            if (Exit.isSuccess(exit)) return assert.fail(`resumed in spite of ${where}`)
            assert.include(outcomes, outcomeOf(exit.cause))
            before = yield* assertNothingHappened(world, process, before, where)
          }
          assert.deepStrictEqual(struck, [
            ...conversation.map((_, index) => `message ${index} of ${conversation.length}`),
            "todos 0 of 1",
            ...promptHistory.map((_, index) => `prompt ${index} of ${promptHistory.length}`)
          ])
        }))
    }
  }
})
