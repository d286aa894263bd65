import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ProjectDirectory, SessionId, Sessions, SessionStore } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"
import * as Golden from "../suites/version1.ts"

const describeError = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }): string =>
  error.reason === undefined ? error._tag : `${error._tag} ${error.reason._tag}`

/** Directories inside and outside of what is allowed. */
const scene = Effect.gen(function*() {
  const workspace = yield* Rig.workspace
  const { root } = workspace
  for (const name of ["in", "in/a", "in/a/b", "inner", "out", "out/a"]) NodeFs.mkdirSync(`${root}/${name}`)
  NodeFs.symlinkSync(`${root}/out`, `${root}/in/to-out`)
  NodeFs.symlinkSync(`${root}/in/a`, `${root}/in/to-a`)
  NodeFs.symlinkSync(`${root}/in/a`, `${root}/out/to-in`)
  NodeFs.symlinkSync(`${root}/in`, `${root}/to-root`)
  NodeFs.symlinkSync(`${root}/in/to-out`, `${root}/in/twice`)
  return workspace
})

const look = (sessions: string, allowedRoots: ReadonlyArray<string>, path: string) =>
  Stack.run(
    ProjectDirectory.ProjectDirectory.use(({ fingerprint }) =>
      Effect.match(fingerprint(path), { onFailure: ({ _tag }): string => _tag, onSuccess: ({ path }) => path })
    ),
    { sessions, allowedRoots }
  )

describe("A project, where roots are given,", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, string]> = [
    ["is allowed where it is a root", ["in"], "in", "in"],
    ["is allowed inside a root", ["in"], "in/a/b", "in/a/b"],
    ["is allowed with a slash behind it, or behind the root", ["in/"], "in/a/", "in/a"],
    ["is allowed through dots that stay inside", ["in"], "in/a/../a/./b", "in/a/b"],
    ["is refused beside a root", ["in"], "out", "ProjectOutside"],
    ["is refused above a root", ["in/a"], "in", "ProjectOutside"],
    ["is refused where its name only begins as a root's", ["in"], "inner", "ProjectOutside"],
    ["is refused through dots that lead outside", ["in"], "in/../out", "ProjectOutside"],
    ["is refused through a link that leads outside", ["in"], "in/to-out", "ProjectOutside"],
    ["is refused below a link that leads outside", ["in"], "in/to-out/a", "ProjectOutside"],
    ["is refused through two links that lead outside", ["in"], "in/twice", "ProjectOutside"],
    ["is allowed through a link that stays inside", ["in"], "in/to-a", "in/a"],
    ["is allowed through a link from outside that ends inside", ["in"], "out/to-in", "in/a"],
    ["is allowed in a root that is reached through a link", ["to-root"], "in/a", "in/a"],
    ["is allowed in one of several roots", ["out/a", "in"], "in/a", "in/a"],
    ["is refused outside all of them", ["out/a", "in/a"], "inner", "ProjectOutside"],
    ["is refused where the root is missing", ["missing"], "in", "ProjectOutside"],
    ["is allowed in one root while another is missing", ["missing", "in"], "in", "in"],
    ["is refused where there is no root at all", [], "in", "ProjectOutside"],
    ["is missing inside a root", ["in"], "in/missing", "ProjectMissing"]
  ]
  for (const [name, roots, path, expected] of cases) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const { root, sessions } = yield* scene
        const found = yield* look(sessions, roots.map((each) => `${root}/${each}`), `${root}/${path}`)
        assert.strictEqual(found, expected.startsWith("Project") ? expected : `${root}/${expected}`)
      }))
  }

  it.effect("is allowed anywhere where the root is the top", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      assert.strictEqual(yield* look(sessions, ["/"], `${root}/out`), `${root}/out`)
      assert.strictEqual(yield* look(sessions, ["/"], "/"), "/")
    }))

  it.effect("is anywhere where none are given", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      const found = yield* Stack.run(
        ProjectDirectory.ProjectDirectory.use(({ fingerprint }) => fingerprint(`${root}/in/to-out`)),
        { sessions }
      )
      assert.strictEqual(found.path, `${root}/out`)
    }))

  it.effect("outside is refused when a session is created: nothing is stored", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      for (const project of [`${root}/out`, `${root}/in/to-out`]) {
        const error = yield* Stack.run(Effect.flip(Sessions.create({ project, config: Rig.config })), {
          sessions,
          allowedRoots: [`${root}/in`]
        })
        assert.strictEqual(describeError(error), "CreateFailed ProjectOutside")
        assert.deepInclude("reason" in error ? error.reason : {}, { path: project, roots: [`${root}/in`] })
      }
      assert.deepStrictEqual(Stack.everything(sessions), [])
    }))

  it.effect("outside is refused when a session is resumed, by its stored path or by another: nothing changes", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      const id = yield* Stack.run(
        Effect.flatMap(
          Sessions.create({ project: `${root}/out/a`, config: Rig.config }),
          ({ id }) => Effect.as(Sessions.close(id), id)
        ),
        { sessions }
      )
      const before = Stack.everything(sessions)
      const options = { sessions, allowedRoots: [`${root}/in`] }
      for (const project of [undefined, `${root}/in/to-out`, `${root}/out`]) {
        const error = yield* Stack.run(
          Effect.flip(Sessions.resume(id, project === undefined ? {} : { project })),
          options
        )
        assert.strictEqual(describeError(error), "RestoreFailed ProjectOutside")
      }
      assert.deepStrictEqual(Stack.everything(sessions), before)
      const moved = yield* Stack.run(
        Effect.flatMap(Sessions.resume(id, { project: `${root}/out/to-in` }), ({ state }) => state),
        options
      )
      assert.strictEqual(moved.session.projectPath, `${root}/in/a`)
    }))

  it.effect("that became a link to outside since it was stored is refused when it is resumed", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      const options = { sessions, allowedRoots: [`${root}/in`] }
      const id = yield* Stack.run(
        Effect.flatMap(
          Sessions.create({ project: `${root}/in/a/b`, config: Rig.config }),
          ({ id }) => Effect.as(Sessions.close(id), id)
        ),
        options
      )
      NodeFs.rmdirSync(`${root}/in/a/b`)
      NodeFs.symlinkSync(`${root}/out`, `${root}/in/a/b`)
      const before = Stack.everything(sessions)
      assert.strictEqual(
        describeError(yield* Stack.run(Effect.flip(Sessions.resume(id)), options)),
        "RestoreFailed ProjectOutside"
      )
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  it.effect("outside can't be passed to an import, and does not count as there when a file names it", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* scene
      const file = `${root}/old.json`
      NodeFs.writeFileSync(file, Golden.sign(Golden.documentWith({ project_path: `${root}/out/a` })))
      const options = { sessions, allowedRoots: [`${root}/in`] }
      const error = yield* Stack.run(
        Effect.flip(Sessions.importFile(file, { ...Golden.credentials, project: `${root}/in/to-out` })),
        options
      )
      assert.strictEqual(describeError(error), "CreateFailed ProjectOutside")
      assert.deepStrictEqual(Stack.everything(sessions), [])
      const { failure, report } = yield* Stack.run(
        Effect.gen(function*() {
          const report = yield* Sessions.importFile(file, Golden.credentials)
          return { report, failure: yield* Effect.flip(Sessions.resume(report.id)) }
        }),
        options
      )
      assert.deepInclude(report, { projectPath: `${root}/out/a`, projectExists: false })
      assert.strictEqual(describeError(failure), "RestoreFailed ProjectOutside")
    }))
})

const id = SessionId.make(Golden.id)

/** A sessions directory with one session in it. */
const stored = Effect.gen(function*() {
  const workspace = yield* Rig.workspace
  const { project, root, sessions } = workspace
  const file = `${root}/old.json`
  NodeFs.writeFileSync(file, Golden.sign(Golden.document))
  yield* Stack.run(Sessions.importFile(file, { ...Golden.credentials, project }), { sessions })
  return { ...workspace, file }
})

/** Everything that people can ask of the store. */
const operations = (project: string, file: string): ReadonlyArray<
  readonly [string, Effect.Effect<unknown, { readonly _tag: string }, Stack.Services>]
> => [
  ["load", Sessions.load(id)],
  ["verify", Sessions.verify(id)],
  ["list", Stream.runCollect(Sessions.list())],
  ["find", Sessions.find({ pick: "latest" })],
  ["resume", Sessions.resume(id)],
  ["takeOver", Sessions.resume(id, { takeOver: true })],
  ["create", Sessions.create({ project, config: Rig.config })],
  ["rename", Sessions.rename(id, "other")],
  ["remove", Sessions.remove(id)],
  ["restore", Sessions.restore(id)],
  ["purge", Sessions.purge(id)],
  ["cleanup", Sessions.cleanup({ olderThan: "1 day" })],
  ["exportTo", Sessions.exportTo(id, `${file}.out`)],
  ["importFile", Sessions.importFile(file, { ...Golden.credentials, copy: true })],
  ["rotate", Stream.runCollect(Sessions.rotate({ addKey: false }))],
  ["isRemoved", SessionStore.SessionStore.use(({ isRemoved }) => isRemoved(id))]
]

describe("A sessions directory", () => {
  for (const mode of [0o770, 0o702, 0o777, 0o1777, 0o720]) {
    it.effect(`that others can write to (${mode.toString(8)}) is refused by every operation and left as it is`, () =>
      Effect.gen(function*() {
        const { file, project, root, sessions } = yield* stored
        NodeFs.chmodSync(sessions, mode)
        const before = Stack.everything(root)
        for (const [name, operation] of operations(project, file)) {
          const error = yield* Stack.run(Effect.flip(operation), { sessions })
          assert.strictEqual(error._tag, "StoreError", name)
          assert.deepStrictEqual(Stack.everything(root), before, name)
        }
      }))
  }

  it.effect("that others can only look at is used", () =>
    Effect.gen(function*() {
      const { sessions } = yield* stored
      for (const mode of [0o700, 0o750, 0o755]) {
        NodeFs.chmodSync(sessions, mode)
        assert.lengthOf(yield* Stack.run(Stream.runCollect(Sessions.list()), { sessions }), 1)
        assert.strictEqual((yield* Stack.run(Sessions.load(id), { sessions })).state.session.name, "n")
      }
    }))

  it.effect("that is a link, a file or a FIFO's place is refused by every operation and left as it is", () =>
    Effect.gen(function*() {
      const { file, project, root, sessions } = yield* stored
      NodeFs.renameSync(sessions, `${root}/real`)
      const places: ReadonlyArray<() => void> = [
        () => NodeFs.symlinkSync(`${root}/real`, sessions),
        () => NodeFs.writeFileSync(sessions, "")
      ]
      for (const place of places) {
        place()
        const before = Stack.everything(root)
        for (const [name, operation] of operations(project, file)) {
          const error = yield* Stack.run(Effect.flip(operation), { sessions })
          assert.strictEqual(error._tag, "StoreError", name)
          assert.deepStrictEqual(Stack.everything(root), before, name)
        }
        NodeFs.rmSync(sessions)
      }
    }))

  it.effect("is made so that nobody else can look into it", () =>
    Effect.gen(function*() {
      const { sessions } = yield* stored
      assert.strictEqual(NodeFs.statSync(sessions).mode & 0o777, 0o700)
    }))
})

describe("A stored session whose signature was taken away", () => {
  const without: ReadonlyArray<readonly [string, (text: string) => string, string]> = [
    ["cut off", (text) => text.replace(/,"signature":"[^"]*"\}$/, "}"), "InvalidJson Unsigned"],
    ["set to null", (text) => text.replace(/"signature":"[^"]*"\}$/, "\"signature\":null}"), "InvalidJson Unsigned"],
    ["set to a number", (text) => text.replace(/"signature":"[^"]*"\}$/, "\"signature\":1}"), "InvalidJson Unsigned"],
    ["emptied", (text) => text.replace(/"signature":"[^"]*"\}$/, "\"signature\":\"\"}"), "InvalidJson BadSignature"],
    ["moved to the front", (text) => {
      const [, signature = ""] = /,("signature":"[^"]*")\}$/.exec(text) ?? []
      return text.replace(/,"signature":"[^"]*"\}$/, "}").replace("{", `{${signature},`)
    }, "InvalidJson Unsigned"],
    ["followed by a line", (text) => `${text}\n`, "InvalidJson Unsigned"],
    ["put there twice", (text) => text.replace(/(,"signature":"[^"]*")\}$/, "$1$1}"), "InvalidJson BadSignature"],
    ["replaced by a version 1 file", () => Golden.sign(Golden.document), "InvalidJson Unsigned"]
  ]
  for (const [name, change, reason] of without) {
    it.effect(`(${name}) is refused by every operation that reads it, listed as broken, and left as it is`, () =>
      Effect.gen(function*() {
        const { file, sessions } = yield* stored
        const path = `${sessions}/${Golden.id}/session.json`
        const text = NodeFs.readFileSync(path, "utf8")
        const changed = change(text)
        assert.notStrictEqual(changed, text)
        NodeFs.writeFileSync(path, changed)
        const attempts: ReadonlyArray<
          readonly [string, Effect.Effect<unknown, Parameters<typeof describeError>[0], Stack.Services>]
        > = [
          ["load", Sessions.load(id)],
          ["verify", Sessions.verify(id)],
          ["resume", Sessions.resume(id)],
          ["takeOver", Sessions.resume(id, { takeOver: true })],
          ["exportTo", Sessions.exportTo(id, `${file}.out`)],
          ["rename", Sessions.rename(id, "other")]
        ]
        for (const [operation, attempt] of attempts) {
          const error = yield* Stack.run(Effect.flip(attempt), { sessions })
          assert.strictEqual(describeError(error), reason, operation)
          assert.strictEqual(NodeFs.readFileSync(path, "utf8"), changed, operation)
        }
        const [entry] = yield* Stack.run(Stream.runCollect(Sessions.list()), { sessions })
        // The list verifies no signature: it shows what has none.
        if (reason === "InvalidJson Unsigned") assert.strictEqual(entry?._tag, "Broken")
        assert.isFalse(NodeFs.existsSync(`${file}.out`))
      }))
  }
})
