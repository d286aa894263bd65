import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ProjectDirectory, ProjectPath } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

const layer = (hook: FileSystemHooks.Hook = FileSystemHooks.none) =>
  Layer.provide(ProjectDirectory.layer, [
    Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer),
    NodePath.layer
  ])

const fingerprint = (path: string, hook?: FileSystemHooks.Hook) =>
  ProjectDirectory.ProjectDirectory.use((service) => service.fingerprint(path)).pipe(
    Effect.provide(layer(hook), { local: true })
  )

const reasonOf = (path: string, hook?: FileSystemHooks.Hook) =>
  Effect.map(Effect.flip(fingerprint(path, hook)), ({ _tag }) => _tag)

describe("A project directory", () => {
  it.effect("is known by its real path, device, inode, owner and mode", () =>
    Effect.gen(function*() {
      const { project } = yield* Rig.workspace
      const info = NodeFs.statSync(project, { bigint: true })
      assert.deepStrictEqual(yield* fingerprint(project), {
        path: project,
        dev: String(info.dev),
        ino: String(info.ino),
        uid: String(info.uid),
        gid: String(info.gid),
        mode: String(info.mode)
      })
    }))

  it.effect("is the same through a link, a trailing slash and dots", () =>
    Effect.gen(function*() {
      const { project, root } = yield* Rig.workspace
      NodeFs.symlinkSync(project, `${root}/link`)
      const direct = yield* fingerprint(project)
      for (const path of [`${root}/link`, `${project}/`, `${root}/./link/../project/.`]) {
        assert.isTrue(ProjectPath.isSame(direct, yield* fingerprint(path)), path)
      }
    }))

  it.effect("is another one after it was replaced, and after its mode changed", () =>
    Effect.gen(function*() {
      const { project, root } = yield* Rig.workspace
      const before = yield* fingerprint(project)
      NodeFs.chmodSync(project, 0o711)
      const changed = yield* fingerprint(project)
      assert.isFalse(ProjectPath.isSame(before, changed))
      NodeFs.renameSync(project, `${root}/aside`)
      NodeFs.mkdirSync(project, { mode: 0o711 })
      assert.isFalse(ProjectPath.isSame(changed, yield* fingerprint(project)))
    }))

  it.effect("that is missing, behind a dangling link or below a missing directory is ProjectMissing", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      NodeFs.symlinkSync(`${root}/nothing`, `${root}/dangling`)
      for (const path of [`${root}/nothing`, `${root}/dangling`, `${root}/nothing/below`]) {
        assert.strictEqual(yield* reasonOf(path), "ProjectMissing", path)
      }
    }))

  it.effect("that is a file, a FIFO, below a file or a link to itself is ProjectNotDirectory", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      NodeFs.writeFileSync(`${root}/file`, "")
      NodeFs.symlinkSync(`${root}/loop`, `${root}/loop`)
      NodeChildProcess.execFileSync("mkfifo", [`${root}/fifo`])
      for (const path of [`${root}/file`, `${root}/fifo`, `${root}/file/below`, `${root}/loop`]) {
        assert.strictEqual(yield* reasonOf(path), "ProjectNotDirectory", path)
      }
    }))

  it.effect("that may not be looked at is ProjectForbidden, whichever call says so", () =>
    Effect.gen(function*() {
      const { project } = yield* Rig.workspace
      const methods = ["realPath", "stat", "access"]
      for (const method of methods) {
        const reason = yield* reasonOf(project, (call) => (run) =>
          call.method === method
            ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
            : run)
        assert.strictEqual(reason, "ProjectForbidden", method)
      }
    }))

  it.effect("on a disk that fails is StoreError, whichever call fails", () =>
    Effect.gen(function*() {
      const { project } = yield* Rig.workspace
      const calls: Array<FileSystemHooks.Call> = []
      yield* fingerprint(project, FileSystemHooks.recordInto(calls))
      assert.isAbove(calls.length, 1)
      for (const number of calls.keys()) {
        assert.strictEqual(yield* reasonOf(project, FileSystemHooks.failAt([number]).hook), "StoreError")
      }
    }))

  it.effect("is not asked of the disk when its path is relative, too long, or not one", () =>
    Effect.gen(function*() {
      const calls: Array<FileSystemHooks.Call> = []
      for (const path of ["", ".", "project", "/a\0b", `/${"a".repeat(4096)}`, "/\ud800"]) {
        assert.strictEqual(yield* reasonOf(path, FileSystemHooks.recordInto(calls)), "InvalidSession")
      }
      assert.deepStrictEqual(calls, [])
    }))
})

describe("A project that is not on this machine", () => {
  it.effect("is known by its path alone", () =>
    Effect.gen(function*() {
      const { fingerprint } = yield* ProjectDirectory.ProjectDirectory
      const one = yield* fingerprint("/far/away")
      assert.strictEqual(one.path, "/far/away")
      assert.isTrue(ProjectPath.isSame(one, yield* fingerprint("/far/away")))
      assert.isFalse(ProjectPath.isSame(one, yield* fingerprint("/elsewhere")))
    }).pipe(Effect.provide(ProjectDirectory.layerNone)))
})
