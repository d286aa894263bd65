import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option, Schema, Stream } from "effect"
import {
  ProjectDirectory,
  Redaction,
  RestoreStep,
  type Session,
  SessionError,
  type SessionId,
  Sessions
} from "effect-reprise"
import { NodePatternGuard, NodeSessions } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Encrypted from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

interface Tools extends Effect.Success<typeof Rig.workspace> {
  /** What happens to calls of the file system from now on. */
  readonly use: (hook: FileSystemHooks.Hook) => void
  /** The services of another process. */
  readonly elsewhere: Layer.Layer<Services, SessionError.StoreError>
}

/** Brings about one reason. */
interface Case {
  readonly limits?: Rig.RigOptions["limits"]
  readonly redact?: Redaction.Redact
  /** Whether projects are to be in the project directory. */
  readonly isConfined?: boolean
  readonly run: (tools: Tools) => Effect.Effect<unknown, unknown, Services>
}

/** `Tag/Reason`, or `Tag` for errors without reasons. */
type NameOf<E> = E extends { readonly _tag: infer Tag extends string; readonly reason: infer Reason }
  ? Reason extends { readonly _tag: infer Inner extends string } ? `${Tag}/${Inner}` : never
  : E extends { readonly _tag: infer Tag extends string } ? Tag
  : never

type Name = NameOf<SessionError.SessionError>

const createClosed = Effect.fnUntraced(function*(project: string) {
  const { append, id } = yield* Sessions.create({ project, config: Rig.config })
  yield* append({ role: "user", content: "x" })
  yield* Sessions.close(id)
  return id
})

/** Puts something in place of a closed session's snapshot, and loads it. */
const loadChanged = (change: (text: string) => string | Uint8Array) =>
  Effect.fnUntraced(function*({ project, sessions }: Tools) {
    const fs = yield* FileSystem.FileSystem
    const id = yield* createClosed(project)
    const file = `${sessions}/${id}/session.json`
    const changed = change(yield* fs.readFileString(file))
    yield* fs.writeFile(file, typeof changed === "string" ? new TextEncoder().encode(changed) : changed)
    yield* Sessions.load(id)
  })

/** Stores a session with one key ring and loads it with another. */
const loadWith = (keyRing: ReadonlyArray<Encrypted.Key>, other: ReadonlyArray<Encrypted.Key>) =>
  Effect.fnUntraced(function*({ project, sessions }: Tools) {
    const id = yield* Effect.provide(createClosed(project), Encrypted.layerFiles(sessions, { keys: keyRing }), {
      local: true
    })
    yield* Effect.provide(Sessions.load(id), Encrypted.layerFiles(sessions, { keys: other }), { local: true })
  })

const envelope = `{"encrypted":1,"id":"6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10","epoch":1,"seal":"cc20p.key.${
  "A".repeat(43)
}","check":"","head":0}\n`

const resumeAfter = (
  change: (tools: Tools, id: SessionId.SessionId) => Effect.Effect<unknown, unknown, Services>
) =>
  Effect.fnUntraced(function*(tools: Tools) {
    const id = yield* createClosed(tools.project)
    yield* change(tools, id)
    yield* Sessions.resume(id)
  })

const screenshot = (bytes: number): Session.MessageInput => ({
  role: "user",
  content: [{ type: "file", mediaType: "image/png", data: "!".repeat(bytes) }]
})

/** Does something to the one blob of a session, and verifies that. */
const withBlob = (change: (file: string) => Effect.Effect<void, unknown, FileSystem.FileSystem>) =>
  Effect.fnUntraced(function*({ project, sessions }: Tools) {
    const fs = yield* FileSystem.FileSystem
    const { append, id } = yield* Sessions.create({ project, config: Rig.config })
    yield* append(screenshot(100_000))
    const [name] = yield* fs.readDirectory(`${sessions}/${id}/blobs`)
    yield* change(`${sessions}/${id}/blobs/${name}`)
    yield* Sessions.verify(id)
  })

/** Root may enter everything, so the refusal is the file system's word. */
const forbid: FileSystemHooks.Hook = (call) => (run) =>
  call.method === "access" ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES")) : run

/** Puts another directory in place of the project before it is looked at for the second time. */
const swap = (project: string): FileSystemHooks.Hook => {
  let looks = 0
  return (call) => (run) => {
    if (call.method !== "realPath" || looks++ !== 1) return run
    const replace = FileSystem.FileSystem.use((fs) =>
      Effect.andThen(fs.rename(project, `${project}.away`), fs.makeDirectory(project))
    )
    return Effect.andThen(Effect.provide(replace, Rig.layerPlatform), run)
  }
}

const otherProject = ({ root }: Tools) =>
  FileSystem.FileSystem.use((fs) => Effect.as(fs.makeDirectory(`${root}/other`), `${root}/other`))

const replaceByFile = (path: string) =>
  FileSystem.FileSystem.use((fs) => Effect.andThen(fs.remove(path, { recursive: true }), fs.writeFileString(path, "")))

const cases: { readonly [N in Name]: Case } = {
  NotFound: {
    run: Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const id = yield* createClosed(project)
      yield* fs.remove(sessions, { recursive: true })
      yield* Sessions.load(id)
    })
  },
  StoreError: {
    run: Effect.fnUntraced(function*({ project, use }) {
      const running = yield* Sessions.create({ project, config: Rig.config })
      use((call) => (run) =>
        call.method === "file.sync" ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC")) : run
      )
      yield* running.append({ role: "user", content: "x" }).pipe(
        Effect.ensuring(Effect.sync(() => use(FileSystemHooks.none)))
      )
    })
  },
  PatternTooSlow: {
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append({ role: "user", content: `${"a".repeat(40)}b` })
      const [result] = yield* Stream.runCollect(Sessions.search({ text: /^(a+)+$/ })).pipe(
        Effect.provide(NodePatternGuard.layer("50 millis"))
      )
      if (result?._tag === "Unsearched") return yield* result.error
    })
  },
  SchemaVersion: { run: loadChanged((text) => text.replace("\"version\":2", "\"version\":3")) },
  "InvalidJson/TooLarge": { limits: { maxBytes: 8192 }, run: loadChanged(() => new Uint8Array(8193)) },
  "InvalidJson/NotUtf8": { run: loadChanged(() => new Uint8Array([0xff])) },
  "InvalidJson/Syntax": { run: loadChanged((text) => text.slice(0, 100)) },
  "InvalidJson/Shape": { run: loadChanged(() => "[]") },
  "InvalidJson/Unsigned": { run: loadChanged(() => "{}") },
  "InvalidJson/BadSignature": { run: loadChanged((text) => text.replace("\"x\"", "\"y\"")) },
  "InvalidJson/UnknownKey": { run: loadChanged((text) => text.replace("hs256.test.", "hs256.lost.")) },
  "InvalidJson/IdMismatch": {
    run: Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const [one, other] = [yield* createClosed(project), yield* createClosed(project)]
      yield* fs.copyFile(`${sessions}/${one}/session.json`, `${sessions}/${other}/session.json`)
      yield* Sessions.load(other)
    })
  },
  "InvalidJson/BrokenJournal": {
    run: Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { append, id } = yield* Sessions.create({ project, config: Rig.config })
      yield* append({ role: "user", content: "first" })
      yield* append({ role: "user", content: "second" })
      const file = `${sessions}/${id}/journal.1.0.jsonl`
      yield* fs.writeFileString(file, (yield* fs.readFileString(file)).replace("first", "worst"))
      yield* Sessions.load(id)
    })
  },
  "InvalidJson/Encrypted": { run: loadChanged(() => envelope) },
  "InvalidJson/NotEncrypted": {
    run: Effect.fnUntraced(function*({ project, sessions }) {
      const id = yield* createClosed(project)
      yield* Effect.provide(Sessions.load(id), Encrypted.layerFiles(sessions), { local: true })
    })
  },
  "InvalidJson/EncryptionKeyMissing": { run: loadWith([Encrypted.key("a", 1)], [Encrypted.key("b", 1)]) },
  "InvalidJson/EncryptionKeyWrong": { run: loadWith([Encrypted.key("a", 1)], [Encrypted.key("a", 2)]) },
  "InvalidJson/BadCiphertext": { run: loadChanged(() => envelope.replace("epoch", "ehoop")) },
  "InvalidJson/UnknownEncryption": { run: loadChanged(() => envelope.replace(":1", ":2")) },
  "RestoreFailed/RateLimited": {
    limits: { resumePerSession: 1 },
    run: resumeAfter((_, id) => Effect.andThen(Sessions.resume(id), Sessions.close(id)))
  },
  "RestoreFailed/ProjectMissing": {
    run: resumeAfter(({ project }) => FileSystem.FileSystem.use((fs) => fs.remove(project, { recursive: true })))
  },
  "RestoreFailed/ProjectNotDirectory": { run: resumeAfter(({ project }) => replaceByFile(project)) },
  "RestoreFailed/ProjectForbidden": { run: resumeAfter(({ use }) => Effect.sync(() => use(forbid))) },
  "RestoreFailed/ProjectOutside": {
    isConfined: true,
    run: Effect.fnUntraced(function*(tools) {
      const id = yield* createClosed(tools.project)
      yield* Sessions.resume(id, { project: yield* otherProject(tools) })
    })
  },
  "CreateFailed/ProjectOutside": {
    isConfined: true,
    run: (tools) => Effect.flatMap(otherProject(tools), (project) => Sessions.create({ project, config: Rig.config }))
  },
  "CreateFailed/AlreadyStored": {
    run: Effect.fnUntraced(function*({ project, root }) {
      yield* Sessions.exportTo(yield* createClosed(project), `${root}/exported.json`)
      yield* Sessions.importFile(`${root}/exported.json`)
    })
  },
  "CreateFailed/MessageUnknown": {
    run: ({ project }) => Effect.flatMap(createClosed(project), (id) => Sessions.fork(id, { at: "another" }))
  },
  "ExportFailed/FileExists": {
    run: Effect.fnUntraced(function*({ project, root }) {
      const id = yield* createClosed(project)
      yield* Sessions.exportTo(id, `${root}/exported.json`)
      yield* Sessions.exportTo(id, `${root}/exported.json`)
    })
  },
  "ExportFailed/ProjectOutside": {
    run: Effect.fnUntraced(function*(tools) {
      const id = yield* createClosed(tools.project)
      yield* Sessions.exportTo(id, `${tools.root}/exported.json`, { root: yield* otherProject(tools) })
    })
  },
  "ExportFailed/TooLarge": {
    limits: { maxBytes: 8192, blobOver: 1024 },
    run: Effect.fnUntraced(function*({ project, root }) {
      const { append, id } = yield* Sessions.create({ project, config: Rig.config })
      yield* append(screenshot(8192))
      yield* Sessions.exportTo(id, `${root}/exported.json`)
    })
  },
  "InvalidBlob/BlobMissing": {
    run: withBlob((file) => FileSystem.FileSystem.use((fs) => fs.remove(file)))
  },
  "InvalidBlob/BlobDamaged": {
    run: withBlob((file) => FileSystem.FileSystem.use((fs) => fs.writeFileString(file, "something else")))
  },
  "RestoreFailed/ProjectChanged": { run: resumeAfter(({ project, use }) => Effect.sync(() => use(swap(project)))) },
  "RestoreFailed/ProjectAlreadyOpen": {
    run: resumeAfter(({ project }) => Sessions.create({ project, config: Rig.config }))
  },
  "RestoreFailed/AlreadyRunning": { run: resumeAfter((_, id) => Sessions.resume(id)) },
  "RestoreFailed/TooManyRunning": {
    limits: { maxRunning: 1 },
    run: resumeAfter((tools) =>
      Effect.flatMap(otherProject(tools), (project) => Sessions.create({ project, config: Rig.config }))
    )
  },
  "RestoreFailed/InvalidSession": {
    run: Effect.fnUntraced(function*() {
      // A session of another machine's paths, which mean nothing here.
      const { id } = yield* Effect.provide(
        Sessions.create({ project: "C:\\project", config: Rig.config }),
        ProjectDirectory.layerNone
      )
      yield* Sessions.close(id)
      yield* Sessions.resume(id)
    })
  },
  "RestoreFailed/StepFailed": {
    run: Effect.fnUntraced(function*({ project }) {
      const id = yield* createClosed(project)
      yield* Effect.provideService(Sessions.resume(id), RestoreStep.RestoreStep, Option.some(() => Effect.fail("no")))
    })
  },
  "CreateFailed/ProjectMissing": {
    run: ({ root }) => Sessions.create({ project: `${root}/missing`, config: Rig.config })
  },
  "CreateFailed/ProjectNotDirectory": {
    run: ({ project }) => Effect.andThen(replaceByFile(project), Sessions.create({ project, config: Rig.config }))
  },
  "CreateFailed/ProjectForbidden": {
    run: ({ project, use }) =>
      Effect.suspend(() => {
        use(forbid)
        return Sessions.create({ project, config: Rig.config })
      })
  },
  "CreateFailed/ProjectChanged": {
    run: ({ project, use }) =>
      Effect.suspend(() => {
        use(swap(project))
        return Sessions.create({ project, config: Rig.config })
      })
  },
  "CreateFailed/ProjectAlreadyOpen": {
    run: ({ project }) => Effect.replicateEffect(Sessions.create({ project, config: Rig.config }), 2)
  },
  "CreateFailed/TooManyRunning": {
    limits: { maxRunning: 1 },
    run: Effect.fnUntraced(function*(tools) {
      yield* Sessions.create({ project: tools.project, config: Rig.config })
      yield* Sessions.create({ project: yield* otherProject(tools), config: Rig.config })
    })
  },
  "CreateFailed/TooManyStored": {
    limits: { maxStored: 1 },
    run: ({ project }) => Effect.replicateEffect(createClosed(project), 2)
  },
  "CreateFailed/InvalidSession": { run: ({ project }) => Sessions.create({ project, name: "", config: Rig.config }) },
  "EventRejected/Invalid": {
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append({ id: "", role: "user", content: "x" })
    })
  },
  "EventRejected/TooLarge": {
    limits: { maxBytes: 8192 },
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append({ role: "user", content: "x".repeat(8192) })
    })
  },
  "EventRejected/PartTooLarge": {
    limits: { maxBlobBytes: 65_537 },
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append(screenshot(65_538))
    })
  },
  "EventRejected/PartsFull": {
    limits: { maxBlobsBytes: 70_000 },
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append(screenshot(70_001))
    })
  },
  "EventRejected/Refused": {
    redact: () => Effect.fail("not this one"),
    run: Effect.fnUntraced(function*({ project }) {
      const { append } = yield* Sessions.create({ project, config: Rig.config })
      yield* append({ role: "user", content: "x" })
    })
  },
  "SessionEnded/Closed": {
    run: Effect.fnUntraced(function*({ project }) {
      const { append, id } = yield* Sessions.create({ project, config: Rig.config })
      yield* Sessions.close(id)
      yield* append({ role: "user", content: "x" })
    })
  },
  "SessionEnded/LeaseLost": {
    run: Effect.fnUntraced(function*({ elsewhere, project }) {
      const { append, id } = yield* Sessions.create({ project, config: Rig.config })
      yield* Effect.provide(Sessions.resume(id, { takeOver: true }), elsewhere, { local: true })
      yield* append({ role: "user", content: "x" })
    })
  },
  "SessionEnded/NotRunning": {
    run: Effect.fnUntraced(function*({ project }) {
      yield* Sessions.checkpoint(yield* createClosed(project))
    })
  }
}

/** The same names, from the schemas: a reason that is added there must be brought about here. */
const named = (tag: string, union: { readonly members: ReadonlyArray<{ readonly fields: TagField }> }) =>
  union.members.map(({ fields }) => `${tag}/${fields._tag.schema.literal}`)

interface TagField {
  readonly _tag: { readonly schema: { readonly literal: string } }
}

const namesOfSchemas: ReadonlyArray<string> = [
  "NotFound",
  "PatternTooSlow",
  "StoreError",
  "SchemaVersion",
  ...named("InvalidJson", SessionError.InvalidJson.fields.reason),
  ...named("RestoreFailed", SessionError.RestoreFailed.fields.reason),
  ...named("CreateFailed", SessionError.CreateFailed.fields.reason),
  ...named("ExportFailed", SessionError.ExportFailed.fields.reason),
  ...named("EventRejected", SessionError.EventRejected.fields.reason),
  ...named("SessionEnded", SessionError.SessionEnded.fields.reason),
  ...named("InvalidBlob", SessionError.InvalidBlob.fields.reason)
]

const isSessionError = Schema.is(Schema.Union([
  SessionError.NotFound,
  SessionError.PatternTooSlow,
  SessionError.StoreError,
  SessionError.SchemaVersion,
  SessionError.InvalidJson,
  SessionError.RestoreFailed,
  SessionError.CreateFailed,
  SessionError.ExportFailed,
  SessionError.EventRejected,
  SessionError.SessionEnded,
  SessionError.InvalidBlob
]))

/** Words that tell what to do next. */
const advice = new RegExp(
  [
    "[Rr]estore",
    "Pass",
    "Close",
    "Write",
    "Raise",
    "raise",
    "Try again",
    "try again",
    "Resume",
    "List what",
    "Update",
    "Add",
    "Put",
    "Go on",
    "Correct",
    "Check",
    "Remove",
    "Grant",
    "Import",
    "Choose",
    "Use",
    "see cause"
  ].join("|")
)

const errorOf = ({ isConfined, limits, redact, run }: Case) =>
  Effect.gen(function*() {
    const workspace = yield* Rig.workspace
    const machine = TestLiveness.machine()
    let current = FileSystemHooks.none
    const options = {
      sessions: workspace.sessions,
      ...(limits === undefined ? {} : { limits }),
      ...(isConfined === true ? { allowedRoots: [workspace.project] } : {}),
      resumeLimit: NodeSessions.layerResumeLimit
    }
    const tools: Tools = {
      ...workspace,
      use: (hook) => {
        current = hook
      },
      elsewhere: Rig.layer({ ...options, liveness: machine.process().layer })
    }
    const here = Rig.layer({
      ...options,
      liveness: machine.process().layer,
      hook: (call) => (run) => Effect.suspend(() => current(call)(run))
    })
    return yield* Effect.flip(run(tools)).pipe(
      Effect.provide(
        redact === undefined ? here : Layer.provide(here, Layer.succeed(Redaction.Redaction, redact)),
        { local: true }
      )
    )
  })

describe("Every reason", () => {
  it("has a case here", () => {
    assert.sameMembers(Object.keys(cases), [...namesOfSchemas])
    assert.lengthOf(new Set(namesOfSchemas), namesOfSchemas.length)
  })

  for (const [name, one] of Object.entries(cases)) {
    it.effect(`is brought about by an operation and tells what to do next: ${name}`, () =>
      Effect.gen(function*() {
        const error = yield* errorOf(one)
        if (!isSessionError(error)) return assert.fail(`${String(error)} is not of the library`)
        assert.strictEqual("reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag, name)
        assert.instanceOf(error, Error)
        assert.match(error.message, advice)
        assert.match(error.message, /^[A-Z].*\.$/s)
        assert.notInclude(error.message, "undefined")
        assert.notInclude(error.message, "[object")
        if ("reason" in error) assert.include(error.message, error.reason.message)
      }))
  }

  it.effect("is caught by its name", () =>
    Effect.gen(function*() {
      const caught = yield* Effect.gen(function*() {
        const { project } = yield* Rig.workspace
        const id = yield* createClosed(project)
        yield* Sessions.resume(id)
        return yield* Effect.as(Sessions.resume(id), "resumed").pipe(
          Effect.catchReason("RestoreFailed", "AlreadyRunning", ({ liveness }) => Effect.succeed(liveness))
        )
      }).pipe(
        (program) =>
          Effect.flatMap(Rig.workspace, ({ sessions }) =>
            Effect.provide(program, Rig.layer({ sessions }), { local: true }))
      )
      assert.strictEqual(caught, "alive")
    }))
})
