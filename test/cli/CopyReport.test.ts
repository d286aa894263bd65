/** What is told of a copy, whatever it comes to; and of addresses with passwords. */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { SessionError, SessionId } from "effect-reprise"
import * as Addresses from "../../src/cli/Addresses.ts"
import * as CopyReport from "../../src/cli/CopyReport.ts"
import * as DatabaseAdvice from "../../src/cli/DatabaseAdvice.ts"
import type * as Place from "../../src/cli/Place.ts"
import type * as CopyFrom from "../../src/pipelines/CopyFrom.ts"

const id = SessionId.SessionId.make("5ba39a10-2924-45a0-b185-755bf7ae26f5")
const copy = (outcome: CopyFrom.CopyOutcome, isRemoved = false): CopyFrom.Copy => ({
  index: 0,
  total: 1,
  id: Option.some(id),
  name: "Fix",
  isRemoved,
  outcome
})
const files: Place.Place = { _tag: "Files", directory: "/there" }
const sqlite: Place.Place = { _tag: "Sqlite", directory: "/there", file: "/there.db" }
const holder = { host: "laptop", pid: 42, bootId: "boot", pidNamespace: "pids", startTime: "1" }
const whole = { _tag: "Copied", bytes: 10, blobs: 0, blobBytes: 0, torn: 0, isOutdated: false } as const
const unknownKey = new SessionError.InvalidJson({ id, reason: new SessionError.UnknownKey({ keyId: "k1" }) })
const different = { _tag: "Different", revision: 3, found: Option.some(2), isOnlyTrash: false } as const

const cases: ReadonlyArray<readonly [CopyFrom.CopyOutcome, string, ReadonlyArray<string>]> = [
  [whole, "copied     ", []],
  [{ ...whole, blobs: 2, blobBytes: 5, torn: 3 }, "2 large parts (5 B), without 3 bytes", []],
  [{ ...whole, isOutdated: true }, "as it was before it was changed", ["was changed while it was copied"]],
  [{ _tag: "Present" }, "there      ", []],
  [different, "different  ", ["revision 2 there, and 3 at its source"]],
  [{ ...different, found: Option.none() }, "different  ", ["can't be verified"]],
  [{ ...different, isOnlyTrash: true }, "different  ", ["One of them is in the trash"]],
  [{ _tag: "Skipped", reason: "running", holder }, "running", ["Process 42 on laptop runs it"]],
  [{ _tag: "Skipped", reason: "elsewhere", holder }, "elsewhere", ["Process 42 on laptop may be running it"]],
  [{ _tag: "Skipped", reason: "elsewhere" }, "elsewhere", ["Somebody runs it"]],
  [{ _tag: "Skipped", reason: "gone" }, "gone", []],
  [{ _tag: "Skipped", reason: "foreign" }, "another format: reprise import Fix", []],
  [{ _tag: "Failed", at: "destination", error: unknownKey }, "failed     ", ["signed with the key k1"]],
  [{ _tag: "Failed", at: "source", error: unknownKey }, "failed     ", ["k1"]]
]

describe("The report of a copy", () => {
  it("tells of each session in a line, and of each that is not there as it is at its source why", () => {
    for (const place of [files, sqlite]) {
      for (const [outcome, line, why] of cases) {
        assert.include(CopyReport.line(copy(outcome)), line)
        const json = CopyReport.toJson(copy(outcome), place)
        assert.strictEqual("error" in json && json.error !== undefined, why.length > 0, line)
        for (const words of why) assert.include(JSON.stringify(json), words)
        assert.strictEqual(
          CopyReport.isWell(copy(outcome)),
          ["Copied", "Present"].includes(outcome._tag) && why.length === 0
        )
      }
    }
    assert.include(CopyReport.line(copy(whole, true)), "(in the trash)")
    assert.include(CopyReport.howToRead(sqlite)[0], "--store sqlite:/there.db")
  })

  it("counts what they came to", () => {
    const { bytes, copied, different, failed, present, sessions, skipped } = CopyReport.totals(
      cases.map(([outcome]) => copy(outcome))
    )
    assert.deepStrictEqual([sessions, copied, present, different, skipped, failed], [14, 3, 1, 3, 5, 2])
    assert.strictEqual(bytes, 35)
  })
})

describe("An address of a database", () => {
  it("is noticed among what was typed, and told without its password", () => {
    assert.isTrue(Addresses.hasPostgres(["list", "--store=postgres://me:secret@host/db"]))
    assert.isTrue(Addresses.hasPostgres(["--store", "postgresql://host/db"]))
    assert.isFalse(Addresses.hasPostgres(["--store", "sqlite:file"]))
    const told = Addresses.withoutPasswords("at postgres://me:secret@host/db?password=secret&a=1 it failed")
    assert.strictEqual(told, "at postgres://me:…@host/db?password=…&a=1 it failed")
  })
})

describe("The advice for a failure of a database", () => {
  const advice = (
    reason: string,
    facts: { readonly code?: string; readonly detail?: string; readonly constraint?: string }
  ) => DatabaseAdvice.of({ _tag: "effect-reprise/sql/Database/DatabaseError", reason, ...facts })?.kind

  it("tells kinds of failures apart by the server's code, or by what the client says", () => {
    const codes = ["28P01", "28000", "3D000", "3F000", "42501", "53300", "57P03", "25006"]
    assert.deepStrictEqual(codes.map((code) => advice("UnknownError", { code, detail: "it says" })), [
      "WrongPassword",
      "NotAllowed",
      "NoDatabase",
      "NoSchema",
      "NoRights",
      "TooManyConnections",
      "Starting",
      "ReadOnly"
    ])
    assert.strictEqual(advice("UnknownError", { code: "28000", detail: "no encryption" }), "TlsWanted")
    assert.strictEqual(advice("ConnectionError", { detail: "self-signed certificate" }), "Tls")
    assert.strictEqual(advice("ConnectionError", { detail: "ECONNREFUSED" }), "Unreachable")
    assert.strictEqual(advice("StatementTimeoutError", {}), "Unreachable")
    assert.strictEqual(advice("AuthenticationError", {}), "NotAllowed")
    assert.strictEqual(advice("AuthorizationError", { detail: "no" }), "NotAllowed")
    assert.strictEqual(advice("ConstraintError", { code: "23505", constraint: "one" }), "ConstraintError")
    assert.strictEqual(advice("ConstraintError", {}), "ConstraintError")
    assert.isUndefined(DatabaseAdvice.of(new Error("another")))
    assert.isUndefined(DatabaseAdvice.of({ _tag: "effect-reprise/sql/Database/DatabaseError" }))
  })
})
