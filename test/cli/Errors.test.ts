/** What goes wrong is told in three lines, or as one object; and the codes a run ends with. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, Schema } from "effect"
import { type Holder, SessionError } from "effect-reprise"
import * as CliJson from "../../src/cli/CliJson.ts"
import { type ExitCode, shared } from "../../src/cli/ExitCode.ts"
import { explain } from "../../src/cli/Explain.ts"
import * as Cli from "./cli-rig.ts"

type NameOf<E> = E extends { readonly _tag: infer Tag extends string; readonly reason: infer Reason }
  ? Reason extends { readonly _tag: infer Inner extends string } ? `${Tag}/${Inner}` : never
  : E extends { readonly _tag: infer Tag extends string } ? Tag
  : never

const id = "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"
const path = "/home/\u001b[31msomeone"
const holder: Holder.Holder = { host: "h\u0007", bootId: "", pidNamespace: "", pid: 7, startTime: "" }

const invalid = (reason: SessionError.InvalidJson["reason"]) => new SessionError.InvalidJson({ id, reason })
const refused = (reason: SessionError.RestoreFailed["reason"]) => new SessionError.RestoreFailed({ id, reason })
const uncreated = (reason: SessionError.CreateFailed["reason"]) => new SessionError.CreateFailed({ reason })
const alive = (liveness: "alive" | "unknown" | "dead") => new SessionError.AlreadyRunning({ liveness, holder })

/** One of each, and what a run ends with. */
const every: { readonly [N in NameOf<SessionError.SessionError>]: readonly [SessionError.SessionError, ExitCode] } = {
  "NotFound": [new SessionError.NotFound({ target: id }), 3],
  "InvalidJson/TooLarge": [invalid(new SessionError.TooLarge({ bytes: 2, limit: 1 })), 4],
  "InvalidJson/NotUtf8": [invalid(new SessionError.NotUtf8({})), 4],
  "InvalidJson/Syntax": [invalid(new SessionError.Syntax({ offset: 3 })), 4],
  "InvalidJson/Shape": [invalid(new SessionError.Shape({ path: "a\u001b", expected: "a text" })), 4],
  "InvalidJson/Unsigned": [invalid(new SessionError.Unsigned({})), 4],
  "InvalidJson/BadSignature": [invalid(new SessionError.BadSignature({})), 4],
  "InvalidJson/UnknownKey": [invalid(new SessionError.UnknownKey({ keyId: "k" })), 4],
  "InvalidJson/IdMismatch": [invalid(new SessionError.IdMismatch({ found: "\u001b" })), 4],
  "InvalidJson/BrokenJournal": [invalid(new SessionError.BrokenJournal({ line: 2 })), 4],
  "SchemaVersion": [new SessionError.SchemaVersion({ id, found: 9, supported: 2 }), 4],
  "RestoreFailed/RateLimited": [refused(new SessionError.RateLimited({ retryAfter: Duration.seconds(2) })), 1],
  "RestoreFailed/ProjectMissing": [refused(new SessionError.ProjectMissing({ path })), 1],
  "RestoreFailed/ProjectNotDirectory": [refused(new SessionError.ProjectNotDirectory({ path })), 1],
  "RestoreFailed/ProjectForbidden": [refused(new SessionError.ProjectForbidden({ path })), 1],
  "RestoreFailed/ProjectOutside": [refused(new SessionError.ProjectOutside({ path, roots: ["/x"] })), 1],
  "RestoreFailed/ProjectChanged": [refused(new SessionError.ProjectChanged({ path })), 1],
  "RestoreFailed/ProjectAlreadyOpen": [refused(new SessionError.ProjectAlreadyOpen({ path, id })), 5],
  "RestoreFailed/AlreadyRunning": [refused(alive("alive")), 5],
  "RestoreFailed/TooManyRunning": [refused(new SessionError.TooManyRunning({ running: 1, limit: 1 })), 5],
  "RestoreFailed/InvalidSession": [refused(new SessionError.InvalidSession({ issues: ["a is not b"] })), 1],
  "RestoreFailed/StepFailed": [refused(new SessionError.StepFailed({ step: "prompt", index: 1, cause: "x" })), 1],
  "CreateFailed/ProjectMissing": [uncreated(new SessionError.ProjectMissing({ path })), 1],
  "CreateFailed/ProjectNotDirectory": [uncreated(new SessionError.ProjectNotDirectory({ path })), 1],
  "CreateFailed/ProjectForbidden": [uncreated(new SessionError.ProjectForbidden({ path })), 1],
  "CreateFailed/ProjectOutside": [uncreated(new SessionError.ProjectOutside({ path, roots: ["/x"] })), 1],
  "CreateFailed/ProjectChanged": [uncreated(new SessionError.ProjectChanged({ path })), 1],
  "CreateFailed/ProjectAlreadyOpen": [uncreated(new SessionError.ProjectAlreadyOpen({ path, id })), 5],
  "CreateFailed/TooManyRunning": [uncreated(new SessionError.TooManyRunning({ running: 1, limit: 1 })), 5],
  "CreateFailed/TooManyStored": [uncreated(new SessionError.TooManyStored({ stored: 1, limit: 1 })), 1],
  "CreateFailed/AlreadyStored": [uncreated(new SessionError.AlreadyStored({ id })), 1],
  "CreateFailed/MessageUnknown": [uncreated(new SessionError.MessageUnknown({ id, at: "x\u001b", messages: 1 })), 3],
  "CreateFailed/InvalidSession": [uncreated(new SessionError.InvalidSession({ issues: ["a is not b"] })), 1],
  "ExportFailed/ProjectOutside": [
    new SessionError.ExportFailed({ id, reason: new SessionError.ProjectOutside({ path, roots: ["/x"] }) }),
    1
  ],
  "ExportFailed/FileExists": [new SessionError.ExportFailed({ id, reason: new SessionError.FileExists({ path }) }), 1],
  "ExportFailed/TooLarge": [
    new SessionError.ExportFailed({ id, reason: new SessionError.TooLarge({ bytes: 2, limit: 1 }) }),
    1
  ],
  "EventRejected/Invalid": [
    new SessionError.EventRejected({ id, reason: new SessionError.Invalid({ path: "a", expected: "b" }) }),
    1
  ],
  "EventRejected/TooLarge": [
    new SessionError.EventRejected({ id, reason: new SessionError.SessionFull({ bytes: 2, limit: 1 }) }),
    1
  ],
  "EventRejected/PartTooLarge": [
    new SessionError.EventRejected({ id, reason: new SessionError.PartTooLarge({ bytes: 2, limit: 1 }) }),
    1
  ],
  "EventRejected/PartsFull": [
    new SessionError.EventRejected({ id, reason: new SessionError.PartsFull({ bytes: 2, limit: 1 }) }),
    1
  ],
  "InvalidBlob/BlobMissing": [
    new SessionError.InvalidBlob({ id, digest: "0".repeat(64), reason: new SessionError.BlobMissing({}) }),
    4
  ],
  "InvalidBlob/BlobDamaged": [
    new SessionError.InvalidBlob({
      id,
      messageId: "m",
      digest: "0".repeat(64),
      reason: new SessionError.BlobDamaged({})
    }),
    4
  ],
  "EventRejected/Refused": [
    new SessionError.EventRejected({ id, reason: new SessionError.Refused({ cause: "no" }) }),
    1
  ],
  "SessionEnded/Closed": [new SessionError.SessionEnded({ id, reason: new SessionError.Closed({}) }), 1],
  "SessionEnded/LeaseLost": [new SessionError.SessionEnded({ id, reason: new SessionError.LeaseLost({ holder }) }), 5],
  "SessionEnded/NotRunning": [new SessionError.SessionEnded({ id, reason: new SessionError.NotRunning({}) }), 1],
  "PatternTooSlow": [new SessionError.PatternTooSlow({ limit: Duration.seconds(2) }), 1],
  "StoreError": [new SessionError.StoreError({ operation: "list", cause: new Error("EACCES: x\u001b\ny") }), 1]
}

describe("An error of the library", () => {
  for (const [name, [error, exitCode]] of Object.entries(every)) {
    it(`${name} is told in the words of the command line, and ends with ${exitCode}`, () => {
      const explained = explain(error)
      assert.deepStrictEqual([explained.error, explained.exitCode], [name, exitCode])
      for (const line of [explained.what, explained.why, explained.next]) {
        assert.match(line, /^[^\p{Cc}]{5,}$/u)
        // What only programs can do is no advice to people.
        assert.notMatch(line, /Sessions\.|takeOver|SessionLimits|\bpass\b|undefined/i)
      }
    })
  }

  it("tells of a holder that is gone, and of one that can't be seen", () => {
    assert.include(explain(refused(alive("dead"))).next, `reprise resume ${id}`)
    assert.strictEqual(explain(refused(alive("dead"))).exitCode, 1)
    assert.deepInclude(explain(refused(alive("unknown"))), { exitCode: 5 })
    assert.include(explain(refused(alive("unknown"))).next, "--take-over")
  })

  it("names the innermost cause of a failing disk, and what helps", () => {
    const failing = (message: string) =>
      explain(
        new SessionError.StoreError({ operation: "list", cause: new Error("outer", { cause: new Error(message) }) })
      )
    assert.deepInclude(failing("ENOSPC: no space left"), { why: "ENOSPC: no space left" })
    assert.include(failing("ENOSPC: no space left").next, "Make room")
    assert.include(failing("EACCES: denied").next, "who may read and write")
  })
})

describe("The code of several failures", () => {
  it("is the one they share, else 1, and 0 where there is none", () => {
    assert.deepStrictEqual([shared([]), shared([4]), shared([4, 4]), shared([4, 5])], [0, 4, 4, 1])
  })
})

describe("An error of usage", () => {
  const ways: ReadonlyArray<readonly [ReadonlyArray<string>, string, string]> = [
    [["lst"], "error: Unknown subcommand \"lst\" for \"reprise\".", "reprise --help"],
    [["list", "--nothing"], "error: Unrecognized flag: --nothing in command reprise list.", "reprise list --help"],
    [["show"], "error: Missing required argument: target.", "reprise show --help"],
    [["list", "--state", "gone"], "error: ", "reprise list --help"],
    [["list", "--limit", "0"], "error: ", "reprise list --help"],
    [["keys", "lst"], "error: Unknown subcommand \"lst\"", "reprise keys --help"]
  ]
  for (const [args, what, help] of ways) {
    it.effect(`is told in three lines: ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        const { run } = yield* Cli.inMemory
        const { code, err, out } = yield* run(args)
        assert.deepStrictEqual([code, out], [2, ""])
        const lines = err.trimEnd().split("\n")
        assert.lengthOf(lines, 3)
        assert.isTrue(lines[0]?.startsWith(what), err)
        assert.isTrue(lines[1]?.startsWith("  why: "), err)
        assert.strictEqual(lines[2], `  do:  See how it is used: ${help}`)
      }))
  }

  it.effect("suggests what was meant", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      assert.include((yield* run(["lst"])).err, "why: Did you mean this? list")
    }))

  it.effect("holds nothing that was typed and drives a terminal", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      for (const args of [["\u001b[2J"], ["show", "\u001b[2J"], ["list", "--limit", "\u001b[2J"]]) {
        assert.notInclude((yield* run(args)).err, "\u001b")
      }
    }))
})

describe("An error for programs", () => {
  const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ error: CliJson.ErrorReport })))

  it.effect("is one object on standard error", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      for (const args of [["show", "nobody", "--json"], ["lst", "--json"], ["list", "--ndjson", "--limit", "x"]]) {
        const { code, err, out } = yield* run(args)
        assert.strictEqual(out, "")
        const { error } = yield* decode(err)
        assert.strictEqual(error.exitCode, code)
      }
    }))
})

describe("Where an error comes from", () => {
  const failing = Layer.fresh(Layer.effectDiscard(Effect.die(new Error("a mistake"))))

  it.effect("is told with --verbose only, also of a mistake of the program", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      const terse = yield* run(["list"], { wrapping: failing })
      assert.deepStrictEqual([terse.code, terse.err.split("\n").length], [1, 4])
      assert.include(terse.err, "error: The command failed, and should not have.\n  why: a mistake\n")
      const verbose = yield* run(["list", "--verbose"], { wrapping: failing })
      assert.match(verbose.err, /Error: a mistake\n +at /)
      const expected = yield* run(["show", "nobody"])
      assert.notMatch(expected.err, /^ +at /m)
      assert.match((yield* run(["show", "nobody", "--verbose"])).err, /^ +at /m)
    }))
})

describe("What the library logs", () => {
  const logging = (level: "warn" | "info") =>
    Layer.effectDiscard(
      Effect.annotateLogs(level === "warn" ? Effect.logWarning("nearly full\u001b") : Effect.logInfo("all well"), {
        stored: 80
      })
    )

  it.effect("is on standard error: warnings, and the rest with --verbose", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      assert.strictEqual(
        (yield* run(["list"], { wrapping: logging("warn") })).err,
        "warning: nearly full\\x1b stored=80\n"
      )
      assert.strictEqual((yield* run(["list"], { wrapping: logging("info") })).err, "")
      assert.strictEqual(
        (yield* run(["list", "--verbose"], { wrapping: logging("info") })).err,
        "info: all well stored=80\n"
      )
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("is an object a line with --json", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.inMemory
      const { err } = yield* run(["list", "--json"], { wrapping: logging("warn") })
      assert.deepStrictEqual(JSON.parse(err), { warning: { message: "nearly full\u001b", stored: 80 } })
    }))
})
