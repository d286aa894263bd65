import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema, type Scope, Stream } from "effect"
import { Holder, Liveness } from "effect-reprise"
import { NodeLiveness } from "effect-reprise/node"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Programs from "../suites/programs.ts"

const program = Programs.fileOf(new URL("programs/session.ts", import.meta.url))

const judge = (holder: Holder.Holder, nonce = "nobody's") =>
  Liveness.Liveness.use((liveness) => liveness.judge({ holder, nonce }))

const self = Effect.map(Liveness.Liveness, ({ self }) => self)

const spawn = (command: string, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const child = yield* spawner.spawn(
      ChildProcess.make(command, args, { stdin: "ignore", stderr: "inherit", killSignal: "SIGKILL" })
    )
    const line = yield* child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.take(1), Stream.runHead)
    return { child, line: Option.getOrElse(line, () => "") }
  })

const stateOf = (pid: number) => {
  const stat = NodeFs.readFileSync(`/proc/${pid}/stat`, "utf8")
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return { state, startTime: fields[18] ?? "" }
}

const isLinux = process.platform === "linux"

describe.runIf(isLinux)("NodeLiveness", () => {
  const test = <A, E>(
    name: string,
    body: () => Effect.Effect<
      A,
      E,
      Liveness.Liveness | ChildProcessSpawner.ChildProcessSpawner | Scope.Scope
    >
  ) => it.effect(name, () => Effect.provide(body(), [NodeLiveness.layer, NodeServices.layer]))

  test("knows this process", () =>
    Effect.map(self, (holder) => {
      assert.strictEqual(holder.pid, process.pid)
      assert.strictEqual(holder.startTime, stateOf(process.pid).startTime)
      for (const value of Object.values(holder)) assert.notStrictEqual(value, "")
    }))

  test("takes a lease of this process for alive while it is held, and for dead before and after", () =>
    Effect.gen(function*() {
      const { held } = yield* Liveness.Liveness
      assert.strictEqual(yield* judge(yield* self, "mine"), "dead")
      held.add("mine")
      assert.strictEqual(yield* judge(yield* self, "mine"), "alive")
      assert.strictEqual(yield* judge(yield* self, "another"), "dead")
      held.delete("mine")
      assert.strictEqual(yield* judge(yield* self, "mine"), "dead")
    }))

  test("has one set of held leases for all its layers in a process", () =>
    Effect.gen(function*() {
      const { held } = yield* Liveness.Liveness
      held.add("shared")
      const verdict = yield* Effect.flatMap(self, (holder) => judge(holder, "shared")).pipe(
        Effect.provide(NodeLiveness.layer, { local: true })
      )
      held.delete("shared")
      assert.strictEqual(verdict, "alive")
    }))

  test("takes another process for alive while it lives, and for dead as soon as it was killed", () =>
    Effect.gen(function*() {
      const { child, line } = yield* spawn(process.execPath, [yield* program, "identity"])
      const holder = yield* Schema.decodeEffect(Schema.fromJsonString(Holder.Holder))(line)
      assert.strictEqual(holder.pid, Number(child.pid))
      assert.strictEqual(yield* judge(holder), "alive")
      yield* child.kill({ killSignal: "SIGKILL" })
      assert.strictEqual(yield* judge(holder), "dead")
    }))

  test("takes a process for dead that ended and whose parent has not looked", () =>
    Effect.gen(function*() {
      const { line } = yield* spawn("sh", ["-c", "sleep 0.3 & echo $!; exec tail -f /dev/null"])
      const pid = Number(line)
      yield* Effect.sync(() => stateOf(pid).state).pipe(
        Effect.repeat({ until: (state) => state === "Z" }),
        Effect.timeout("5 seconds"),
        TestClock.withLive
      )
      const holder = { ...yield* self, pid, startTime: stateOf(pid).startTime }
      assert.strictEqual(yield* judge(holder), "dead")
    }))

  test("takes a number that was given to a later process for dead", () =>
    Effect.gen(function*() {
      const { child } = yield* spawn("sh", ["-c", "echo ready; exec tail -f /dev/null"])
      const pid = Number(child.pid)
      const { startTime } = stateOf(pid)
      assert.strictEqual(yield* judge({ ...yield* self, pid, startTime }), "alive")
      assert.strictEqual(yield* judge({ ...yield* self, pid, startTime: String(Number(startTime) - 1) }), "dead")
      assert.strictEqual(yield* judge({ ...yield* self, startTime: "1" }), "dead")
    }))

  test("takes a process for alive whose name holds parentheses and spaces", () =>
    Effect.gen(function*() {
      const { child } = yield* spawn(process.execPath, [
        "-e",
        "process.title = 'a) Z (b'; console.log('ready'); setInterval(() => {}, 1000)"
      ])
      const pid = Number(child.pid)
      const { startTime } = stateOf(pid)
      assert.strictEqual(yield* judge({ ...yield* self, pid, startTime }), "alive")
    }))

  test("takes whoever held before the machine was started anew for dead", () =>
    Effect.flatMap(self, (holder) => judge({ ...holder, bootId: "another" })).pipe(
      Effect.map((verdict) => {
        assert.strictEqual(verdict, "dead")
      })
    ))

  test("can't judge a process in another pid namespace, or on another host", () =>
    Effect.gen(function*() {
      const holder = yield* self
      const { held } = yield* Liveness.Liveness
      held.add("mine")
      assert.strictEqual(yield* judge({ ...holder, pidNamespace: "pid:[1]" }, "mine"), "unknown")
      assert.strictEqual(yield* judge({ ...holder, host: "elsewhere" }, "mine"), "unknown")
      assert.strictEqual(yield* judge({ ...holder, host: "elsewhere", bootId: "another" }, "mine"), "unknown")
      held.delete("mine")
    }))

  test("takes a number that nobody has for dead", () =>
    Effect.gen(function*() {
      for (const pid of [0, -1, 2 ** 30]) {
        assert.strictEqual(yield* judge({ ...yield* self, pid, startTime: "1" }), "dead")
      }
    }))
})
