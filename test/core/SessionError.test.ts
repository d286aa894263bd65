import { describe, it } from "@effect/vitest"
import { assertInclude, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Cause, Duration, Effect, Exit, Schema } from "effect"
import { type Holder, SessionError } from "effect-reprise"
import { at, id, otherId } from "./documents.ts"

const secret = "S3CRET"

const holder: Holder.Holder = { host: "box", bootId: secret, pidNamespace: secret, pid: 4711, startTime: secret }

const invalid = (reason: SessionError.InvalidJson["reason"]) => new SessionError.InvalidJson({ id, reason })
const restore = (reason: SessionError.RestoreFailed["reason"]) => new SessionError.RestoreFailed({ id, reason })
const create = (reason: SessionError.CreateFailed["reason"]) => new SessionError.CreateFailed({ reason })
const rejected = (reason: SessionError.EventRejected["reason"]) => new SessionError.EventRejected({ id, reason })
const ended = (reason: SessionError.SessionEnded["reason"]) => new SessionError.SessionEnded({ id, reason })

const path = "/home/project"
const project = { path }

const digest = "0123456789abcdef".repeat(4)

/** Every error with every reason: what it says of the facts, and what to do next. Content and causes hold a secret. */
const errors: ReadonlyArray<readonly [error: SessionError.SessionError, facts: ReadonlyArray<string>, next: string]> = [
  [
    new SessionError.CreateFailed({ reason: new SessionError.MessageUnknown({ id, at: "9", messages: 4 }) }),
    [id, "message 9", "4"],
    "Pass a number from 1 on"
  ],
  [
    new SessionError.PatternTooSlow({ limit: Duration.seconds(2) }),
    ["2s"],
    "Correct it so that no repetition is inside"
  ],
  [new SessionError.NotFound({ target: id }), [id], "List what is stored with Sessions.list"],
  [invalid(new SessionError.TooLarge({ bytes: 11, limit: 10 })), [id, "11", "10"], "Raise SessionLimits.maxBytes"],
  [invalid(new SessionError.NotUtf8({})), [id, "UTF-8"], "Restore the file from a backup"],
  [invalid(new SessionError.Syntax({ offset: 12 })), [id, "offset 12"], "Restore the file from a backup"],
  [
    invalid(new SessionError.Shape({ path: "config.model", expected: "present" })),
    [id, "config.model is not present"],
    "Restore the file from a backup"
  ],
  [
    invalid(new SessionError.Shape({ path: "", expected: "an object" })),
    [id, "the document is not an object"],
    "Restore the file from a backup"
  ],
  [invalid(new SessionError.Unsigned({})), [id, "not signed"], "Restore it from a backup, or bring it in"],
  [invalid(new SessionError.BadSignature({})), [id, "was changed"], "Restore it from a backup"],
  [invalid(new SessionError.UnknownKey({ keyId: "k1" })), [id, "the key k1"], "Add that key"],
  [invalid(new SessionError.IdMismatch({ found: otherId })), [id, "another session"], "Put the file back"],
  [invalid(new SessionError.BrokenJournal({ line: 3 })), [id, "line 3"], "Restore the journal from a backup"],
  [invalid(new SessionError.Encrypted({ keyId: "k1" })), [id, "the key k1"], "Add SessionStore.layerEncrypted"],
  [invalid(new SessionError.NotEncrypted({})), [id, "not encrypted"], "Pass allowPlain"],
  [invalid(new SessionError.EncryptionKeyMissing({ keyId: "k1" })), [id, "the key k1"], "Add that key"],
  [invalid(new SessionError.EncryptionKeyWrong({ keyId: "k1" })), [id, "the key k1"], "Put the right key ring back"],
  [invalid(new SessionError.BadCiphertext({})), [id, "decrypted"], "Restore it from a backup"],
  [invalid(new SessionError.UnknownEncryption({ found: 2 })), [id, "form 2"], "Update the program"],
  [
    new SessionError.SchemaVersion({ id, found: 9, supported: 2 }),
    [id, "version 9", "up to 2"],
    "Update the program"
  ],
  [new SessionError.SchemaVersion({ id, found: secret, supported: 2 }), [id, "up to 2"], "Restore it from a backup"],
  [new SessionError.SchemaVersion({ id, supported: 2 }), [id, "no version"], "Restore it from a backup"],
  [
    restore(new SessionError.RateLimited({ retryAfter: Duration.seconds(12) })),
    [id, "too many attempts"],
    "Try again in 12s"
  ],
  [
    restore(new SessionError.ProjectMissing(project)),
    [id, path, "does not exist"],
    "Restore it, or pass the directory"
  ],
  [restore(new SessionError.ProjectNotDirectory(project)), [id, path, "not a directory"], "Pass a directory"],
  [restore(new SessionError.ProjectForbidden(project)), [id, path, "can't be entered"], "Grant this user access"],
  [
    restore(new SessionError.ProjectOutside({ path, roots: ["/srv", "/opt"] })),
    [id, path, "outside /srv, /opt"],
    "Pass a directory inside"
  ],
  [
    create(new SessionError.AlreadyStored({ id })),
    [id, "stored already"],
    "Import it as a copy, or purge the stored one"
  ],
  [
    new SessionError.ExportFailed({ id, reason: new SessionError.FileExists({ path: "/tmp/a.json" }) }),
    [id, "/tmp/a.json exists"],
    "Choose another name"
  ],
  [
    restore(new SessionError.ProjectChanged(project)),
    [id, path, "replaced"],
    "Check what is there now, then try again"
  ],
  [
    restore(new SessionError.ProjectAlreadyOpen({ path, id: otherId })),
    [id, path, otherId],
    "Close it first"
  ],
  [
    restore(new SessionError.AlreadyRunning({ liveness: "alive" })),
    [id, "running in this program"],
    "Use the running one, or close it first"
  ],
  [
    restore(new SessionError.AlreadyRunning({ liveness: "alive", holder, since: at })),
    [id, "process 4711 on box", at],
    "Close it there or pass takeOver"
  ],
  [
    restore(new SessionError.AlreadyRunning({ liveness: "unknown", holder, since: at })),
    [id, "process 4711 on box", at],
    "Pass takeOver if you know"
  ],
  [
    restore(new SessionError.AlreadyRunning({ liveness: "unknown" })),
    [id, "its lease can't be read"],
    "Pass takeOver if you know"
  ],
  [
    restore(new SessionError.AlreadyRunning({ liveness: "dead", holder })),
    [id, "interrupted"],
    "Resume and close it first"
  ],
  [restore(new SessionError.TooManyRunning({ running: 10, limit: 10 })), [id, "10 sessions"], "Close one first"],
  [
    restore(new SessionError.InvalidSession({ issues: ["name is not present", "a is not b"] })),
    [id, "name is not present", "a is not b"],
    "Correct that and try again"
  ],
  [
    restore(new SessionError.StepFailed({ step: "message", index: 3, cause: new Error(secret) })),
    [id, "message 3"],
    "see cause"
  ],
  [create(new SessionError.ProjectMissing(project)), [path], "Restore it, or pass the directory"],
  [create(new SessionError.ProjectNotDirectory(project)), [path], "Pass a directory"],
  [create(new SessionError.ProjectForbidden(project)), [path], "Grant this user access"],
  [create(new SessionError.ProjectChanged(project)), [path], "try again"],
  [create(new SessionError.ProjectAlreadyOpen({ path, id: otherId })), [path, otherId], "Close it first"],
  [create(new SessionError.TooManyRunning({ running: 10, limit: 10 })), ["10"], "Close one first"],
  [
    create(new SessionError.TooManyStored({ stored: 100, limit: 100 })),
    ["100 sessions are stored"],
    "Remove some with Sessions.cleanup, or raise SessionLimits.maxStored"
  ],
  [create(new SessionError.InvalidSession({ issues: ["x"] })), ["x"], "Correct that and try again"],
  [
    rejected(new SessionError.Invalid({ path: "message.role", expected: "present" })),
    [id, "message.role is not present"],
    "Correct the event"
  ],
  [
    rejected(new SessionError.Invalid({ path: "", expected: "an event" })),
    [id, "it is not an event"],
    "Correct the event"
  ],
  [rejected(new SessionError.SessionFull({ bytes: 11, limit: 10 })), [id, "11", "10"], "Go on in a new session"],
  [
    rejected(new SessionError.PartTooLarge({ bytes: 11, limit: 10 })),
    [id, "11", "10"],
    "raise SessionLimits.maxBlobBytes"
  ],
  [rejected(new SessionError.PartsFull({ bytes: 11, limit: 10 })), [id, "11", "10"], "Go on in a new session"],
  [
    new SessionError.InvalidBlob({ id, messageId: "m-1", digest, reason: new SessionError.BlobMissing({}) }),
    [id, digest, "message m-1", "not there"],
    "Restore it from a backup"
  ],
  [
    new SessionError.InvalidBlob({ id, digest, reason: new SessionError.BlobDamaged({}) }),
    [id, digest, "not what was stored"],
    "Restore it from a backup"
  ],
  [rejected(new SessionError.Refused({ cause: new Error(secret) })), [id, "redaction hook"], "see cause"],
  [ended(new SessionError.Closed({})), [id, "closed"], "Resume it to go on"],
  [ended(new SessionError.LeaseLost({ holder })), [id, "process 4711 on box"], "Go on there, or resume it here"],
  [ended(new SessionError.LeaseLost({})), [id, "its lease is lost", "out of reach"], "Load it to see who has it"],
  [ended(new SessionError.NotRunning({})), [id, "not running here"], "Resume it first"],
  [
    new SessionError.StoreError({ operation: "reading", cause: new Error(secret) }),
    ["reading", "What was acknowledged is safe"],
    "see cause, mend it and try again"
  ]
]

const reasonsOf = (error: SessionError.SessionError): ReadonlyArray<string> =>
  "reason" in error ? [error._tag, error.reason._tag] : [error._tag]

describe("SessionError", () => {
  for (const [error, facts, next] of errors) {
    it(`${reasonsOf(error).join(" / ")} says "${next}"`, () => {
      for (const fact of facts) assertInclude(error.message, fact)
      assertInclude(error.message, next)
      assertTrue(error.message.endsWith("."), error.message)
    })

    it(`${reasonsOf(error).join(" / ")} that says "${next}" shows no content`, () => {
      strictEqual(error.message.includes(secret), false)
      strictEqual(String(error).includes(secret), false)
    })
  }

  it("has an error in the table above for every class and reason", () => {
    const shown = new Set(errors.flatMap(([error]) => reasonsOf(error)))
    const named = [
      ...Object.keys(SessionError).filter((name) =>
        !["SessionFull", "Unavailable"].includes(name) && /^[A-Z]/.test(name)
      ),
      "TooLarge"
    ]
    deepStrictEqual(named.filter((name) => !shown.has(name)), [])
  })

  it("survives being encoded, decoded and compared", () => {
    const codec = Schema.Union([
      SessionError.NotFound,
      SessionError.InvalidJson,
      SessionError.SchemaVersion,
      SessionError.RestoreFailed,
      SessionError.CreateFailed,
      SessionError.ExportFailed,
      SessionError.EventRejected,
      SessionError.SessionEnded,
      SessionError.InvalidBlob,
      SessionError.PatternTooSlow,
      SessionError.StoreError
    ])
    for (const [error] of errors) {
      const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Schema.toCodecJson(codec))(error)))
      const decoded = Schema.decodeUnknownSync(Schema.toCodecJson(codec))(json)
      strictEqual(decoded._tag, error._tag)
      strictEqual(decoded.message, error.message)
    }
  })

  it("keeps facts in fields and the original in cause", () => {
    const cause = new Error(secret)
    strictEqual(new SessionError.StoreError({ operation: "reading", cause }).cause, cause)
    strictEqual(new SessionError.IdMismatch({ found: otherId }).found, otherId)
    deepStrictEqual(new SessionError.SchemaVersion({ id, found: { v: 1 }, supported: 2 }).found, { v: 1 })
    strictEqual(Object.hasOwn(new SessionError.SchemaVersion({ id, supported: 2 }), "found"), false)
  })

  it.effect("is caught by tag and by reason", () =>
    Effect.gen(function*() {
      const failed: Effect.Effect<string, SessionError.InvalidJson | SessionError.NotFound> = Effect.fail(
        invalid(new SessionError.Syntax({ offset: 3 }))
      )
      const caught = yield* failed.pipe(
        Effect.catchReason("InvalidJson", "Syntax", ({ offset }) => Effect.succeed(`offset ${offset}`)),
        Effect.catchTag(["InvalidJson", "NotFound"], () => Effect.succeed("other"))
      )
      strictEqual(caught, "offset 3")
      const missing: Effect.Effect<string, SessionError.NotFound> = Effect.fail(
        new SessionError.NotFound({ target: id })
      )
      const exit = yield* Effect.exit(missing)
      assertTrue(Exit.isFailure(exit))
      assertInclude(Cause.pretty(exit.cause), "Sessions.list")
    }))
})
