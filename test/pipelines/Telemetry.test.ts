import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Deferred,
  Effect,
  Exit,
  Fiber,
  FileSystem,
  Layer,
  Logger,
  Metric,
  Option,
  References,
  Stream,
  Tracer
} from "effect"
import { Redaction, RestoreStep, type SessionId, Sessions, Supervisor } from "effect-reprise"
import * as NodeUtil from "node:util"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>
type Space = Effect.Success<typeof Rig.workspace>

interface Line {
  readonly message: string
  readonly level: string
  readonly sessionId: unknown
  /** Everything that a logger could print. */
  readonly text: string
}

interface Observed {
  readonly spans: Array<Tracer.NativeSpan>
  readonly lines: Array<Line>
  readonly metrics: () => ReadonlyArray<Metric.Metric.Snapshot>
}

const everything = (value: unknown) => NodeUtil.inspect(value, { depth: Infinity, showHidden: false })

/** Runs a program over real files, and writes down every span, log line and metric. */
const overFiles = <A, E>(
  program: (space: Space & Observed) => Effect.Effect<A, E, Services>,
  options: Omit<Rig.RigOptions, "sessions"> = {},
  extra: Layer.Layer<never> = Layer.empty
) =>
  Effect.flatMap(Rig.workspace, (workspace) => {
    const spans: Array<Tracer.NativeSpan> = []
    const lines: Array<Line> = []
    const registry: Metric.MetricRegistry = new Map()
    const tracer = Tracer.make({
      span(options) {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      lines.push({
        message: Array.isArray(message) ? String(message[0]) : String(message),
        level: logLevel,
        sessionId: annotations["sessionId"],
        text: [everything(message), everything(annotations), Cause.pretty(cause), everything(cause)].join("\n")
      })
    })
    const metrics = () => Effect.runSync(Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry))
    return program({ ...workspace, spans, lines, metrics }).pipe(
      Effect.provide(Layer.provideMerge(Rig.layer({ ...options, sessions: workspace.sessions }), extra), {
        local: true
      }),
      Effect.as({ spans, lines, metrics }),
      Effect.provide(Logger.layer([logger]), { local: true }),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.provideService(Metric.MetricRegistry, registry),
      Effect.withTracer(tracer)
    )
  })

const create = ({ project }: Space) => Sessions.create({ project, name: "telemetry", config: Rig.config })

const createClosed = Effect.fnUntraced(function*(space: Space) {
  const { id } = yield* create(space)
  yield* Sessions.close(id)
  return id
})

const discard = (id: SessionId.SessionId) => Supervisor.Supervisor.use(({ discard }) => discard(id))

const failingStep = Layer.succeed(RestoreStep.RestoreStep, Option.some(() => Effect.fail("no")))

describe("Each operation", () => {
  const names = (spans: ReadonlyArray<Tracer.NativeSpan>) => spans.map(({ name }) => name)

  /** Each operation on a closed session `id`, and the spans it makes, its own first. */
  const operations: ReadonlyArray<{
    readonly span: string
    readonly further?: ReadonlyArray<string>
    readonly run: (id: SessionId.SessionId, space: Space) => Effect.Effect<unknown, unknown, Services>
    readonly before?: (id: SessionId.SessionId) => Effect.Effect<unknown, unknown, Services>
  }> = [
    { span: "Sessions.create", run: (_, space) => create(space) },
    { span: "Sessions.load", run: (id) => Sessions.load(id) },
    { span: "Sessions.verify", run: (id) => Sessions.verify(id) },
    { span: "Sessions.list", run: () => Stream.runDrain(Sessions.list()) },
    { span: "Sessions.find", run: () => Sessions.find() },
    { span: "Sessions.resume", run: (id) => Sessions.resume(id) },
    {
      span: "Sessions.resume",
      further: ["Sessions.close"],
      run: (id) => Effect.scoped(Sessions.resumeScoped(id))
    },
    { span: "Sessions.checkpoint", before: (id) => Sessions.resume(id), run: (id) => Sessions.checkpoint(id) },
    { span: "Sessions.close", before: (id) => Sessions.resume(id), run: (id) => Sessions.close(id) },
    { span: "Sessions.rename", run: (id) => Sessions.rename(id, "renamed") },
    {
      span: "Sessions.rename",
      before: (id) => Sessions.resume(id),
      run: (id) => Sessions.rename(id, "renamed while it runs")
    },
    { span: "Sessions.remove", run: (id) => Sessions.remove(id) },
    { span: "Sessions.restore", before: (id) => Sessions.remove(id), run: (id) => Sessions.restore(id) },
    { span: "Sessions.purge", before: (id) => Sessions.remove(id), run: (id) => Sessions.purge(id) },
    { span: "Sessions.cleanup", run: () => Sessions.cleanup() }
  ]
  for (const { before, further = [], run, span } of operations) {
    it.effect(`makes one span, ${[span, ...further].join(" and then ")}, which ends with success`, () =>
      overFiles(Effect.fnUntraced(function*(space) {
        const id = yield* createClosed(space)
        if (before !== undefined) yield* before(id)
        space.spans.length = 0
        yield* run(id, space)
        assert.deepStrictEqual(names(space.spans), [span, ...further])
        for (const { status } of space.spans) {
          assert.isTrue(status._tag === "Ended" && Exit.isSuccess(status.exit))
        }
      })))
  }

  it.effect("ends its span with the failure where it fails", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosed(space)
      yield* Sessions.remove(id)
      yield* Sessions.purge(id)
      space.spans.length = 0
      const failing: ReadonlyArray<Effect.Effect<unknown, unknown, Services>> = [
        Sessions.create({ project: "relative", config: Rig.config }),
        Sessions.load(id),
        Sessions.verify(id),
        Sessions.find(),
        Sessions.resume(id),
        Sessions.checkpoint(id),
        Sessions.close(id),
        Sessions.rename(id, "x"),
        Sessions.remove(id),
        Sessions.restore(id),
        Sessions.purge(id)
      ]
      for (const effect of failing) {
        const error = yield* Effect.flip(effect)
        const { status } = yield* Effect.fromNullishOr(space.spans.pop())
        assert.isTrue(status._tag === "Ended" && Exit.isFailure(status.exit))
        if (status._tag === "Ended" && Exit.isFailure(status.exit)) {
          assert.deepStrictEqual(Cause.findErrorOption(status.exit.cause), Option.some(error))
        }
        assert.deepStrictEqual(space.spans, [])
      }
    })))

  it.effect("makes its span a child of the caller's", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosed(space)
      space.spans.length = 0
      yield* Effect.withSpan(Sessions.load(id), "application")
      const [application, load] = space.spans
      assert.strictEqual(load?.name, "Sessions.load")
      assert.strictEqual(load?.parent.pipe(Option.getOrThrow).spanId, application?.spanId)
    })))
})

describe("The log", () => {
  const transitions = [
    "created",
    "found interrupted",
    "claimed",
    "restored",
    "activated",
    "closed",
    "released",
    "removed",
    "restored from the trash",
    "purged",
    "renamed"
  ]
  const told = (lines: ReadonlyArray<Line>) =>
    lines.filter(({ level }) => level === "Info").map(({ message }) => message)

  /** Each turn of a session's life, and the lines it writes. */
  const turns: ReadonlyArray<{
    readonly name: string
    readonly before?: (id: SessionId.SessionId) => Effect.Effect<unknown, unknown, Services>
    readonly run: (id: SessionId.SessionId) => Effect.Effect<unknown, unknown, Services>
    readonly lines: ReadonlyArray<string>
  }> = [
    { name: "a resume", run: (id) => Sessions.resume(id), lines: ["claimed", "restored", "activated"] },
    {
      name: "the resume of an interrupted session",
      before: (id) =>
        Effect.flatMap(Sessions.resume(id), ({ append }) => append({ role: "user", content: "x" })).pipe(
          Effect.andThen(discard(id))
        ),
      run: (id) => Sessions.resume(id),
      lines: ["found interrupted", "claimed", "restored", "activated"]
    },
    {
      name: "a close",
      before: (id) => Sessions.resume(id),
      run: (id) => Sessions.close(id),
      lines: ["closed"]
    },
    {
      name: "two closes at once, which are one",
      before: (id) => Sessions.resume(id),
      run: (id) => Effect.all([Sessions.close(id), Sessions.close(id)], { concurrency: 2 }),
      lines: ["closed"]
    },
    {
      name: "a scope that ends",
      run: (id) => Effect.scoped(Sessions.resumeScoped(id)),
      lines: ["claimed", "restored", "activated", "closed"]
    },
    {
      name: "a session that is given back unsaved",
      before: (id) => Sessions.resume(id),
      run: discard,
      lines: ["released"]
    },
    { name: "a removal", run: (id) => Sessions.remove(id), lines: ["removed"] },
    {
      name: "a restore",
      before: (id) => Sessions.remove(id),
      run: (id) => Sessions.restore(id),
      lines: ["restored from the trash"]
    },
    { name: "a purge", before: (id) => Sessions.remove(id), run: (id) => Sessions.purge(id), lines: ["purged"] }
  ]
  for (const { before, lines, name, run } of turns) {
    it.effect(`tells of ${name}: ${lines.join(", ")}; each line with the session's id`, () =>
      overFiles(Effect.fnUntraced(function*(space) {
        const id = yield* createClosed(space)
        if (before !== undefined) yield* before(id)
        space.lines.length = 0
        yield* run(id)
        assert.deepStrictEqual(told(space.lines), lines)
        for (const line of space.lines) assert.strictEqual(line.sessionId, id)
      })))
  }

  it.effect("tells of a creation, with the session's id", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const { id } = yield* create(space)
      assert.deepStrictEqual(told(space.lines), ["created"])
      assert.strictEqual(space.lines[0]?.sessionId, id)
    })))

  it.effect("tells of a claim that is given back after a failed resume", () =>
    Effect.gen(function*() {
      let id = ""
      const { lines } = yield* overFiles(
        Effect.fnUntraced(function*(space) {
          id = yield* createClosedWithMessage(space)
          space.lines.length = 0
          yield* Effect.flip(Sessions.resume((yield* Sessions.find()).id))
        }),
        {},
        failingStep
      )
      assert.deepStrictEqual(told(lines), ["claimed", "released"])
      for (const line of lines) assert.strictEqual(line.sessionId, id)
    }))

  it.effect("tells of every session that the end of the layer closes, with its id", () =>
    Effect.gen(function*() {
      const ids: Array<string> = []
      const { lines } = yield* overFiles(Effect.fnUntraced(function*(space) {
        const fs = yield* FileSystem.FileSystem
        for (const name of ["a", "b"]) {
          yield* fs.makeDirectory(`${space.root}/${name}`)
          ids.push((yield* Sessions.create({ project: `${space.root}/${name}`, config: Rig.config })).id)
        }
        space.lines.length = 0
      }))
      assert.deepStrictEqual(told(lines), ["closed", "closed"])
      assert.sameMembers(lines.map(({ sessionId }) => String(sessionId)), ids)
    }))

  it.effect("tells of nothing where nothing happened", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosed(space)
      space.lines.length = 0
      yield* Sessions.load(id)
      yield* Sessions.verify(id)
      yield* Stream.runDrain(Sessions.list())
      yield* Sessions.find()
      yield* Sessions.restore(id)
      yield* Sessions.cleanup({ dryRun: true })
      assert.deepStrictEqual(space.lines.map(({ message }) => message), [])
    })))

  it.effect("uses no other words for transitions than these", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosedWithMessage(space)
      yield* Sessions.rename(id, "new")
      yield* Sessions.resume(id)
      yield* discard(id)
      yield* Sessions.remove(id)
      yield* Sessions.restore(id)
      yield* Sessions.remove(id)
      yield* Sessions.purge(id)
      assert.includeMembers(transitions, told(space.lines))
    })))
})

/** A closed session with one message, so that a resume has a step. */
const createClosedWithMessage = Effect.fnUntraced(function*(space: Space) {
  const { append, id } = yield* create(space)
  yield* append({ role: "user", content: "x" })
  yield* Sessions.close(id)
  return id
})

describe("What is in a session", () => {
  const canary = "CANARY-7c1d"

  /** A life in which everything that can hold content holds the canary, and much goes wrong. */
  const life = Effect.fnUntraced(function*({ project, root, sessions }: Space) {
    const fs = yield* FileSystem.FileSystem
    const texts: Array<string> = []
    const failing = <A, E extends Error, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.map(Effect.flip(effect), (error) => {
        texts.push(error.message, everything(error))
      })
    yield* fs.writeFileString(`${project}/${canary}.txt`, canary)
    const config = { ...Rig.config, apiKey: canary }
    const metadata = { [canary]: canary }
    const running = yield* Sessions.create({ project, name: canary, config, metadata })
    yield* running.append({ role: "user", content: canary, [canary]: canary })
    yield* running.append({
      role: "assistant",
      content: [{ type: "tool-call", id: canary, name: canary, params: { [canary]: canary } }]
    })
    yield* running.append({
      role: "tool",
      content: [{ type: "tool-result", id: canary, name: canary, isFailure: false, result: canary }]
    })
    yield* running.replaceTodos([{ content: canary, status: "pending", activeForm: canary }])
    yield* running.recordPrompt(canary)
    yield* running.annotate({ [canary]: [canary] })
    yield* running.rename(`${canary} renamed`)
    yield* running.checkpoint

    yield* failing(running.append({ role: "user", content: `${canary}\ud83d` }))
    yield* failing(running.append({ role: "user", content: canary, amount: Number.NaN, text: canary }))
    yield* failing(running.append({ role: "user", content: canary.repeat(30_000) }))
    yield* failing(running.rename(canary.repeat(10)))
    yield* failing(running.configure({ ...config, temperature: 7 }))
    yield* failing(Sessions.create({ project, name: canary.repeat(10), config, metadata }))
    yield* failing(Sessions.create({ project, name: canary, config, metadata }))

    yield* Supervisor.Supervisor.use(({ discard }) => discard(running.id))
    yield* Sessions.load(running.id)
    yield* Sessions.verify(running.id)
    yield* Stream.runDrain(Sessions.list({ text: canary }))
    yield* Sessions.find({ name: `${canary} renamed` })
    yield* failing(Sessions.find({ name: `${canary} lost` }))
    yield* failing(Sessions.find({ text: canary.repeat(2) }))
    yield* failing(Sessions.remove(running.id))
    yield* Sessions.rename(running.id, `${canary} again`)
    yield* failing(Sessions.rename(running.id, canary.repeat(10)))
    yield* Sessions.resume(running.id)
    yield* Sessions.close(running.id)
    yield* failing(running.append({ role: "user", content: canary }))

    const file = `${sessions}/${running.id}/session.json`
    const bytes = yield* fs.readFileString(file)
    for (
      const damaged of [
        bytes.replace(canary, `${canary}!`),
        bytes.slice(0, bytes.length / 2),
        `{"${canary}":"${canary}"`,
        `{"${canary}":"${canary}"}`,
        `{"version":3,"${canary}":"${canary}"}`,
        `"${canary}"`
      ]
    ) {
      yield* fs.writeFileString(file, damaged)
      yield* failing(Sessions.load(running.id))
      yield* failing(Sessions.resume(running.id))
      yield* failing(Sessions.rename(running.id, canary))
      yield* Stream.runDrain(Sessions.list())
    }
    yield* fs.writeFileString(file, bytes)
    yield* Sessions.remove(running.id)
    yield* Sessions.restore(running.id)
    yield* Sessions.cleanup()
    yield* fs.remove(project, { recursive: true })
    yield* failing(Sessions.resume(running.id))
    yield* fs.makeDirectory(`${root}/other`)
    yield* Sessions.create({ project: `${root}/other`, name: canary, config, metadata })
    return texts
  })

  it.effect("is in no log line, no span, no metric and no error", () =>
    Effect.gen(function*() {
      let texts: ReadonlyArray<string> = []
      const { lines, metrics, spans } = yield* overFiles(
        (space) =>
          Effect.map(life(space), (errors) => {
            texts = errors
          }),
        { limits: { maxBytes: 256 * 1024, checkpointBytes: 1024, maxStored: 2 } }
      )
      assert.isAbove(lines.length, 10)
      assert.isAbove(spans.length, 20)
      assert.isAbove(texts.length, 20)
      for (const { text } of lines) assert.notInclude(text, canary)
      for (const text of texts) assert.notInclude(text, canary)
      for (const { attributes, events, links, name, status } of spans) {
        assert.notInclude(everything({ name, attributes, events, links }), canary)
        if (status._tag === "Ended" && Exit.isFailure(status.exit)) {
          assert.notInclude(Cause.pretty(status.exit.cause), canary)
        }
      }
      assert.notInclude(everything(metrics()), canary)
    }))

  it.effect("is not in what is told of an event that the redaction hook refuses", () =>
    Effect.gen(function*() {
      let text = ""
      const { lines } = yield* overFiles(
        Effect.fnUntraced(function*(space) {
          const { append } = yield* create(space)
          const error = yield* Effect.flip(append({ role: "user", content: canary }))
          assert.strictEqual(error._tag, "EventRejected")
          text = error.message
        }),
        {},
        Layer.succeed(Redaction.Redaction, () => Effect.fail("not this one"))
      )
      assert.notInclude(text, canary)
      for (const line of lines) assert.notInclude(line.text, canary)
    }))
})

describe("Metrics", () => {
  const counts = (metrics: ReadonlyArray<Metric.Metric.Snapshot>) =>
    Object.fromEntries(
      metrics.flatMap((metric) =>
        metric.type === "Counter" && metric.id === "reprise_operations_total"
          ? [[`${metric.attributes?.["operation"]} ${metric.attributes?.["outcome"]}`, Number(metric.state.count)]]
          : []
      )
    )

  it.effect("count every operation by its outcome, and how long it took", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosed(space)
      yield* Sessions.load(id)
      yield* Sessions.load(id)
      yield* Sessions.verify(id)
      yield* Stream.runDrain(Sessions.list())
      yield* Sessions.find()
      yield* Effect.flip(Sessions.find({ name: "none" }))
      yield* Effect.flip(Sessions.create({ project: "relative", config: Rig.config }))
      yield* Sessions.resume(id)
      yield* Effect.flip(Sessions.resume(id))
      yield* Sessions.checkpoint(id)
      yield* Effect.flip(Sessions.rename(id, ""))
      yield* Sessions.rename(id, "new")
      yield* Effect.flip(Sessions.remove(id))
      yield* Sessions.close(id)
      yield* Effect.flip(Sessions.close(id))
      yield* Effect.flip(Sessions.checkpoint(id))
      yield* Sessions.remove(id)
      yield* Sessions.restore(id)
      yield* Effect.flip(Sessions.purge(id))
      yield* Sessions.remove(id)
      yield* Sessions.purge(id)
      yield* Sessions.cleanup()

      assert.deepStrictEqual(counts(space.metrics()), {
        "create success": 1,
        "create CreateFailed": 1,
        "load success": 2,
        "verify success": 1,
        "list success": 1,
        "find success": 1,
        "find NotFound": 1,
        "resume success": 1,
        "resume RestoreFailed": 1,
        "checkpoint success": 1,
        "checkpoint SessionEnded": 1,
        "rename EventRejected": 1,
        "rename success": 1,
        "close success": 2,
        "close SessionEnded": 1,
        "remove RestoreFailed": 1,
        "remove success": 2,
        "restore success": 1,
        "purge NotFound": 1,
        "purge success": 1,
        "cleanup success": 1
      })

      const durations = space.metrics().flatMap((metric) =>
        metric.type === "Histogram" && metric.id === "reprise_operation_duration"
          ? [[String(metric.attributes?.["operation"]), metric.state.count] as const]
          : []
      )
      assert.deepStrictEqual(Object.fromEntries(durations), {
        create: 2,
        load: 2,
        verify: 1,
        list: 1,
        find: 2,
        resume: 2,
        checkpoint: 2,
        rename: 2,
        close: 3,
        remove: 3,
        restore: 1,
        purge: 2,
        cleanup: 1
      })
    })))

  it.effect("count damage, defects and interruptions as what they are", () => {
    const outcomes: Array<Effect.Effect<void, string>> = []
    const step = Layer.succeed(RestoreStep.RestoreStep, Option.some(() => outcomes.shift() ?? Effect.void))
    return overFiles(
      Effect.fnUntraced(function*(space) {
        const fs = yield* FileSystem.FileSystem
        const id = yield* createClosedWithMessage(space)
        outcomes.push(Effect.fail("no"), Effect.die("defect"))
        yield* Effect.flip(Sessions.resume(id))
        yield* Effect.exit(Sessions.resume(id))

        const begun = yield* Deferred.make<void>()
        outcomes.push(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        const fiber = yield* Effect.forkChild(Sessions.resume(id))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)

        yield* fs.truncate(`${space.sessions}/${id}/session.json`, 10)
        yield* Effect.flip(Sessions.load(id))
        yield* fs.remove(`${space.sessions}/${id}/session.json`)
        yield* Effect.flip(Sessions.load(id))

        const counted = counts(space.metrics())
        assert.deepInclude(counted, {
          "resume RestoreFailed": 1,
          "resume defect": 1,
          "resume interrupted": 1,
          "load InvalidJson": 1,
          "load StoreError": 1
        })
      }),
      {},
      step
    )
  })
})
