import { describe, it } from "@effect/vitest"
import { assertFailure, assertSuccess, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Result, Schema } from "effect"
import { type Session, SessionError, SessionEvent } from "effect-reprise"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as StoredSession from "../../src/core/StoredSession.ts"
import * as Text from "../../src/core/Text.ts"
import {
  at,
  batches,
  encodeMessages,
  flipped,
  id,
  joined,
  journalLines,
  keyRing,
  nested,
  otherId,
  publish,
  rules,
  small,
  states,
  strangers
} from "./documents.ts"

const { BrokenJournal, IdMismatch, InvalidJson, Shape, UnknownKey } = SessionError

const prompt = (prompt: string): SessionEvent.Recorded => ({ at, event: { _tag: "PromptRecorded", prompt } })
const appended: SessionEvent.Recorded = {
  at,
  event: { _tag: "MessageAppended", message: { id: "3", role: "tool", content: "é", timestamp: at, "2": 2, "10": 1 } }
}

const snapshot = publish(small)

const journalOn = (
  on: Snapshot.Signed,
  batches: ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>>,
  epoch = 1,
  part = 0
): Uint8Array =>
  Text.concat(journalLines({ id, epoch, part, snapshot: on.signature, revision: small.revision }, batches))

const firstLine = (journal: Uint8Array): Uint8Array => journal.subarray(0, journal.indexOf(0x0a) + 1)

const open = (stored: StoredSession.StoredBytes, depth = rules.maxDepth) =>
  StoredSession.open(keyRing, id, stored, { ...rules, maxDepth: depth })

const invalid = (reason: SessionError.InvalidJson["reason"]) => new InvalidJson({ id, reason })

describe("StoredSession.open", () => {
  it("is the snapshot where there is no journal", () => {
    const verified = Result.getOrThrow(open({ snapshot: snapshot.bytes, journals: [] }))
    deepStrictEqual(verified.state, small)
    deepStrictEqual([verified.isOpen, verified.recorded, verified.torn], [false, [], 0])
  })

  it("adds the events of the journal that names the snapshot, and their messages as they are stored", () => {
    const events = [prompt("a"), appended]
    const verified = Result.getOrThrow(open({ snapshot: snapshot.bytes, journals: [journalOn(snapshot, [events])] }))
    deepStrictEqual(verified.state, Result.getOrThrow(SessionEvent.fold(small, events)))
    deepStrictEqual(verified.recorded, events)
    deepStrictEqual([verified.isOpen, verified.torn], [true, 0])
    strictEqual(joined(verified.messages), joined(encodeMessages(verified.state)))
    deepStrictEqual(verified.snapshot.state, small)
  })

  it.prop("comes to the running state, and its messages save it again", [states, batches], ([state, batches]) => {
    const begun: Session.SessionState = { ...state, revision: state.revision % 1_000_000 }
    const draft = SessionEvent.draft(begun)
    const written = batches.map((batch) => batch.filter((happened) => Result.isSuccess(draft.apply(happened))))
    const { bytes, signature } = publish(begun)
    const { id } = begun.session
    const journal = Text.concat(
      journalLines({ id, epoch: 1, part: 0, snapshot: signature, revision: begun.revision }, written)
    )
    const verified = Result.getOrThrow(
      StoredSession.open(keyRing, id, { snapshot: bytes, journals: [journal] }, rules)
    )
    deepStrictEqual(verified.state, draft.state())
    const saved = Snapshot.encode(keyRing, verified.state, verified.messages, { epoch: 2 })
    assertSuccess(
      Result.map(
        Result.flatMap(
          Result.fromOption(saved, () => "no key"),
          ({ bytes }) => Result.mapError(Snapshot.open(keyRing, id, bytes, rules), () => "refused")
        ),
        ({ state }) => state
      ),
      draft.state()
    )
  }, { arbitrary: { runs: 50, seed: 1 } })

  it("does not count journals that name another snapshot", () => {
    const other = publish(small, { epoch: 2 })
    const journals = [firstLine(journalOn(other, [])), firstLine(journalOn(other, [], 2))]
    const verified = Result.getOrThrow(open({ snapshot: snapshot.bytes, journals }))
    deepStrictEqual(verified.state, small)
    strictEqual(verified.isOpen, false)
  })

  it("counts the last one begun where several name the snapshot", () => {
    const journals = [
      firstLine(journalOn(snapshot, [])),
      journalOn(snapshot, [[prompt("late")]], 2),
      firstLine(journalOn(publish(small, { epoch: 9 }), [], 3))
    ]
    const verified = Result.getOrThrow(open({ snapshot: snapshot.bytes, journals }))
    deepStrictEqual(verified.recorded, [prompt("late")])
  })

  it("verifies the first line of every journal, since a flipped bit there would hide what was acknowledged", () => {
    const counting = journalOn(snapshot, [[prompt("a")], [prompt("b")]])
    const length = firstLine(counting).length
    for (let index = 0; index < length; index++) {
      const damaged = flipped(counting, index, 1)
      for (const journals of [[damaged], [firstLine(damaged)], [firstLine(damaged), counting]]) {
        assertTrue(Result.isFailure(open({ snapshot: snapshot.bytes, journals })), `byte ${index}`)
      }
    }
  })

  it("refuses a journal of another session beside the snapshot", () => {
    const strange = Text.concat(
      journalLines({ id: otherId, epoch: 1, part: 0, snapshot: snapshot.signature, revision: 4 }, [[prompt("a")]])
    )
    assertFailure(
      open({ snapshot: snapshot.bytes, journals: [strange] }),
      invalid(new BrokenJournal({ line: 1 }))
    )
  })

  it("refuses snapshot and journal together under another id", () => {
    assertFailure(
      StoredSession.open(keyRing, otherId, { snapshot: snapshot.bytes, journals: [journalOn(snapshot, [])] }, rules),
      new InvalidJson({ id: otherId, reason: new IdMismatch({ found: id }) })
    )
  })

  it("refuses a journal whose key is unknown, whatever the snapshot's", () => {
    const strange = Text.concat(
      journalLines(
        { id, epoch: 1, part: 0, snapshot: snapshot.signature, revision: 4 },
        [[prompt("a")]],
        strangers
      )
    )
    assertFailure(
      open({ snapshot: snapshot.bytes, journals: [strange] }),
      invalid(new UnknownKey({ keyId: "strange" }))
    )
  })

  it("reports what a crash cut off", () => {
    const journal = journalOn(snapshot, [[prompt("a")], [prompt("b")]])
    const verified = Result.getOrThrow(open({ snapshot: snapshot.bytes, journals: [journal.subarray(0, -5)] }))
    deepStrictEqual(verified.recorded, [prompt("a")])
    assertTrue(verified.torn > 0)
  })

  it("refuses an event that the state refuses, by its line", () => {
    const usage = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0, totalCost: 0 }
    const tooMuch: SessionEvent.Recorded = {
      at,
      event: { _tag: "MessageAppended", message: { id: "1", role: "user", content: "", timestamp: at, usage } }
    }
    assertFailure(
      open({ snapshot: snapshot.bytes, journals: [journalOn(snapshot, [[prompt("a"), tooMuch]])] }),
      invalid(new BrokenJournal({ line: 3 }))
    )
  })

  const metadataOf = (json: string): SessionEvent.Recorded => ({
    at,
    event: { _tag: "Annotated", metadata: Schema.decodeSync(Schema.fromJsonString(Annotation))(json) }
  })
  const Annotation = Schema.Record(Schema.String, Schema.Json)

  it("refuses an event nested over the limit, and takes one that a snapshot could hold", () => {
    const tagOf = (levels: number, depth: number): string => {
      const stored = {
        snapshot: snapshot.bytes,
        journals: [journalOn(snapshot, [[metadataOf(`{"a":${nested(levels)}}`)]])]
      }
      return Result.match(open(stored, depth), {
        onSuccess: ({ state }) =>
          Result.isSuccess(Snapshot.open(keyRing, id, publish(state).bytes, { ...rules, maxDepth: depth }))
            ? "can be saved"
            : "can't be saved",
        onFailure: (error) => error._tag === "InvalidJson" ? error.reason._tag : error._tag
      })
    }
    for (const depth of [10, 64]) {
      for (let levels = depth - 4; levels < depth + 3; levels++) {
        assertTrue(["can be saved", "Shape"].includes(tagOf(levels, depth)), `${levels}: ${tagOf(levels, depth)}`)
      }
      strictEqual(tagOf(depth - 3, depth), "can be saved")
      strictEqual(tagOf(depth + 1, depth), "Shape")
    }
  })

  it("refuses lone surrogates in an event, which no snapshot could hold", () => {
    assertFailure(
      open({ snapshot: snapshot.bytes, journals: [journalOn(snapshot, [[metadataOf("{\"a\":\"\\ud800\"}")]])] }),
      invalid(new Shape({ path: "journal line 2", expected: "free of lone surrogates" }))
    )
  })
})

describe("StoredSession.isSame", () => {
  const stored = (): StoredSession.StoredBytes => ({
    snapshot: Uint8Array.from(snapshot.bytes),
    journals: [journalOn(snapshot, [[prompt("a")]]), journalOn(snapshot, [])]
  })

  it("is true for equal bytes alone", () => {
    strictEqual(StoredSession.isSame(stored(), stored()), true)
    const { journals: [first = new Uint8Array(0), second = new Uint8Array(0)], snapshot: bytes } = stored()
    const others: ReadonlyArray<StoredSession.StoredBytes> = [
      { ...stored(), snapshot: flipped(bytes, bytes.length - 1, 1) },
      { ...stored(), snapshot: bytes.subarray(0, -1) },
      { ...stored(), journals: [] },
      { ...stored(), journals: [first] },
      { ...stored(), journals: [second, first] },
      { ...stored(), journals: [first, second, second] },
      { ...stored(), journals: [first, flipped(second, 0, 1)] },
      { ...stored(), journals: [Text.concat([first, new Uint8Array(1)]), second] }
    ]
    for (const other of others) {
      strictEqual(StoredSession.isSame(stored(), other), false)
      strictEqual(StoredSession.isSame(other, stored()), false)
    }
  })
})
