import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type SessionId, Sessions, SessionStore, Supervisor } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as World from "./world.ts"

/** A text in the place of an id, as callers without types hand it on. */
const unchecked: (text: string) => SessionId.SessionId = JSON.parse

/** The text as it stands in a request. */
const told = (text: string) => JSON.stringify(text)

const real = "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"

const noIds: { readonly [what: string]: string } = {
  "nothing": "",
  "a dot": ".",
  "two dots": "..",
  "a traversal": "../../../../etc/passwd",
  "a traversal to a session": `../sessions/${real}`,
  "a traversal behind an id": `${real}/../${real}`,
  "an encoded traversal": "..%2f..%2fetc%2fpasswd",
  "a backslash traversal": "..\\..\\secret",
  "an absolute path": "/etc/passwd",
  "a file of a session": `${real}/session.json`,
  "a slash at the end": `${real}/`,
  "a NUL at the end": `${real}\0`,
  "a NUL and an extension": `${real}\0.json`,
  "a NUL inside": `${real.slice(0, 18)}\0${real.slice(19)}`,
  "a newline at the end": `${real}\n`,
  "a line separator at the end": `${real}\u2028`,
  "a space at the end": `${real} `,
  "a space before": ` ${real}`,
  "a BOM before": `\ufeff${real}`,
  "capitals": real.toUpperCase(),
  "one capital": real.replace("f", "F"),
  "braces": `{${real}}`,
  "a URN": `urn:uuid:${real}`,
  "no dashes": real.replaceAll("-", ""),
  "another version": real.replace("4c55", "1c55"),
  "another variant": real.replace("9b2e", "cb2e"),
  "the nil id": "00000000-0000-0000-0000-000000000000",
  "fullwidth digits": real.replace("6", "６"),
  "arabic digits": real.replace("6", "٦"),
  "a cyrillic letter": real.replace("a", "а"),
  "a combining mark": real.replace("a", "a\u0301"),
  "a lone surrogate": `${real.slice(0, 35)}\ud800`,
  "no hexadecimal": real.replace("f", "g"),
  "an id cut": real.slice(0, 35),
  "an id and one more": `${real}0`,
  "two ids": `${real}${real}`,
  "a very long text": real.repeat(100_000),
  "__proto__": "__proto__",
  "constructor": "constructor",
  "a wildcard": "*",
  "a private name": `creating.boot.pids.1.1.${real}`,
  "a foreign file": `${real}.json`,
  "a device": "CON",
  "a shell command": "$(rm -rf .)"
}

const operations: {
  readonly [name: string]: (
    id: SessionId.SessionId,
    root: string
  ) => Effect.Effect<unknown, { readonly _tag: string }, World.Services>
} = {
  load: (id) => Sessions.load(id),
  verify: (id) => Sessions.verify(id),
  resume: (id) => Sessions.resume(id),
  "resume with takeOver": (id) => Sessions.resume(id, { takeOver: true }),
  resumeScoped: (id) => Effect.scoped(Sessions.resumeScoped(id)),
  checkpoint: (id) => Sessions.checkpoint(id),
  close: (id) => Sessions.close(id),
  rename: (id) => Sessions.rename(id, "name"),
  remove: (id) => Sessions.remove(id),
  restore: (id) => Sessions.restore(id),
  purge: (id) => Sessions.purge(id),
  exportTo: (id, root) => Sessions.exportTo(id, `${root}/export.json`),
  "the store's read": (id) => SessionStore.SessionStore.use(({ read }) => read(id)),
  "the store's claim": (id) => SessionStore.SessionStore.use(({ claim }) => Effect.scoped(claim(id))),
  "the store's isRemoved": (id) => SessionStore.SessionStore.use(({ isRemoved }) => isRemoved(id))
}

describe("A text that is no id", () => {
  it.live.each(Object.keys(operations))(
    "is refused before any call to the file system by %s",
    (name) =>
      Effect.gen(function*() {
        const workspace = yield* World.workspace
        const calls: Array<FileSystemHooks.Call> = []
        const operation = operations[name]
        assert.isDefined(operation)
        yield* Effect.gen(function*() {
          calls.length = 0
          for (const [what, text] of Object.entries(noIds)) {
            const error = yield* Effect.flip(operation(unchecked(told(text)), workspace.root))
            assert.include(["NotFound", "SessionEnded"], error._tag, what)
            assert.deepStrictEqual(calls, [], what)
          }
        }).pipe(Effect.provide(World.layer({ ...workspace, hook: FileSystemHooks.recordInto(calls) })))
      }).pipe(Effect.scoped),
    60_000
  )
})

describe("A project path that is no existing directory", () => {
  const paths: { readonly [what: string]: (root: string) => string } = {
    "nothing": () => "",
    "a dot": () => ".",
    "relative": () => "project",
    "a relative traversal": () => "../../..",
    "a home directory": () => "~",
    "a URL": (root) => `file://${root}/project`,
    "with a NUL": (root) => `${root}/project\0`,
    "with a NUL behind a real one": (root) => `${root}/project\0/..`,
    "with a lone surrogate": (root) => `${root}/\ud800`,
    "longer than 4096 bytes": (root) => `${root}/${"./".repeat(2100)}project`,
    "missing": (root) => `${root}/missing`,
    "missing by case": (root) => `${root}/PROJECT`,
    "with a newline at the end": (root) => `${root}/project\n`,
    "with a space at the end": (root) => `${root}/project `,
    "encoded": (root) => `${root}/%70roject`,
    "a traversal to nothing": (root) => `${root}/project/../../${"../".repeat(20)}nowhere/at/all`,
    "a file": (root) => `${root}/file`,
    "below a file": (root) => `${root}/file/project`,
    "a link to nothing": (root) => `${root}/dangling`,
    "a link to itself": (root) => `${root}/loop`,
    "a link to a file": (root) => `${root}/to-file`,
    "a FIFO": (root) => `${root}/fifo`,
    "a device": () => "/dev/null"
  }

  it.live.each(Object.keys(paths))(
    "is refused by create and resume, which leave nothing: %s",
    (what) =>
      Effect.gen(function*() {
        const { project, root, sessions } = yield* World.workspace
        NodeFs.writeFileSync(`${root}/file`, "")
        NodeFs.symlinkSync(`${root}/nothing`, `${root}/dangling`)
        NodeFs.symlinkSync(`${root}/loop`, `${root}/loop`)
        NodeFs.symlinkSync(`${root}/file`, `${root}/to-file`)
        NodeChildProcess.execFileSync("mkfifo", [`${root}/fifo`])
        const path = paths[what]?.(root) ?? ""
        yield* Effect.gen(function*() {
          const supervisor = yield* Supervisor.Supervisor
          const notCreated = yield* Effect.flip(Sessions.create({ project: path, name: "x", config: World.config }))
          assert.strictEqual(notCreated._tag, "CreateFailed")
          assert.deepStrictEqual(yield* Stream.runCollect(Sessions.list()), [])
          const { id } = yield* Sessions.create({ project, name: "x", config: World.config })
          yield* Sessions.close(id)
          const before = World.pictureOf(`${sessions}/${id}`)
          const notResumed = yield* Effect.flip(Sessions.resume(id, { project: path }))
          assert.strictEqual(notResumed._tag, "RestoreFailed")
          assert.strictEqual(World.pictureOf(`${sessions}/${id}`), before)
          assert.deepStrictEqual(yield* supervisor.running, [])
        }).pipe(Effect.provide(World.layer({ sessions })))
      }).pipe(Effect.scoped)
  )
})
