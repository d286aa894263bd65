import { describe, it } from "@effect/vitest"
import {
  assertFailure,
  assertNone,
  assertSome,
  assertSuccess,
  assertTrue,
  deepStrictEqual,
  strictEqual
} from "@effect/vitest/utils"
import { Option, Result, Schema } from "effect"
import { type Session, SessionError, SessionEvent } from "effect-reprise"
import * as Journal from "../../src/core/Journal.ts"
import type * as Json from "../../src/core/Json.ts"
import * as Signature from "../../src/core/Signature.ts"
import * as Text from "../../src/core/Text.ts"
import {
  at,
  batches,
  flipped,
  id,
  journalLines,
  keyRing,
  keyRingOf,
  later,
  lostKey,
  nested,
  otherId,
  publish,
  rules,
  small,
  states,
  strangers,
  textOf
} from "./documents.ts"

const { BrokenJournal, InvalidJson, UnknownKey } = SessionError

const start: Journal.Start = {
  id,
  epoch: 2,
  part: 0,
  snapshot: publish(small).signature,
  revision: small.revision
}

const prompt = (prompt: string): SessionEvent.Recorded => ({ at: later, event: { _tag: "PromptRecorded", prompt } })

const eventsOf: ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>> = [
  [prompt("a"), { at: later, event: { _tag: "Renamed", name: "é👋" } }],
  [{ at: later, event: { _tag: "MessageAppended", message: { id: "3", role: "tool", content: [], timestamp: at } } }],
  [prompt("d"), { at, event: { _tag: "TodosReplaced", todos: [] } }, prompt("{\"seq\":99,\"batch\":99,")]
]

const events = eventsOf.flat()
const lines = journalLines(start, eventsOf)
const journal = Text.concat(lines)

/** The line, from 1, with which the last batch begins. */
const lastBatch = 5

/** Where each line begins, and where the last one ends. */
const starts = lines.reduce<ReadonlyArray<number>>(
  (starts, line) => [...starts, (starts.at(-1) ?? 0) + line.length],
  [0]
)

const startOf = (line: number): number => starts[line - 1] ?? journal.length

/** The line, from 1, that a byte stands in. */
const lineAt = (index: number): number => starts.filter((start) => start <= index).length

const open = (bytes: Uint8Array, keys = keyRing, as = id) => Journal.open(keys, as, bytes, rules)

const broken = (line: number, as = id) => new InvalidJson({ id: as, reason: new BrokenJournal({ line }) })

/** What came of a journal, in words that can be compared. */
const outcome = (bytes: Uint8Array): string =>
  Result.match(open(bytes), {
    onSuccess: ({ events: found, torn }) => {
      deepStrictEqual(found, events.slice(0, found.length))
      return `${found.length} events, ${torn} torn`
    },
    onFailure: (error) => {
      if (error._tag === "SchemaVersion") return error._tag
      return error.reason._tag === "BrokenJournal" ? `broken at ${error.reason.line}` : error.reason._tag
    }
  })

const whole = `${events.length} events, 0 torn`

/** The journal as it is up to a line of the last batch, and torn from there on. */
const tornFrom = (line: number, length = journal.length): string => `${line - 2} events, ${length - startOf(line)} torn`

const edited = (edit: (lines: Array<Uint8Array>) => unknown): Uint8Array => {
  const copy = [...lines]
  edit(copy)
  return Text.concat(copy)
}

/** Signs an object as the next line of a journal. */
const seal = (mac: Signature.RunningMac, object: Schema.Json): Uint8Array => {
  const body = Text.toBytes(JSON.stringify(object).slice(0, -1))
  mac.update(body)
  const end = Text.toBytes(`,"mac":"${Signature.make("", mac.digest()).text.slice(-43)}"}\n`)
  mac.update(end)
  return Text.concat([body, end])
}

const signed = (objects: ReadonlyArray<Schema.Json>): Uint8Array => {
  const mac = Option.getOrThrow(Signature.start(keyRing, "first", { domain: "journal", version: 2, id }))
  return Text.concat(objects.map((object) => seal(mac, object)))
}

const first = { journal: 2, id, epoch: 2, part: 0, key: "first", snapshot: start.snapshot, revision: 4 }
const line = (seq: number, batch: number) => ({ seq, batch, at, event: { _tag: "PromptRecorded", prompt: "p" } })

const Unit = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999999 }))

/** The events of generated batches that a state accepts, in their batches. */
const accepted = (
  state: Session.SessionState,
  batches: ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>>
): ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>> => {
  const draft = SessionEvent.draft(state)
  return batches.map((batch) => batch.filter((happened) => Result.isSuccess(draft.apply(happened))))
    .filter((batch) => batch.length > 0)
}

const generated = (state: Session.SessionState, batches: ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>>) => {
  const begun = { ...state, revision: state.revision % 1_000_000 }
  const written = accepted(begun, batches)
  const { signature } = publish(begun)
  const lines = journalLines(
    { id: begun.session.id, epoch: 1, part: 0, snapshot: signature, revision: begun.revision },
    written
  )
  return { state: begun, written, lines, bytes: Text.concat(lines), events: written.flat() }
}

describe("Journal.writer and open", () => {
  it.prop(
    "give back every event, and folding them comes to the running state",
    [states, batches],
    ([state, batches]) => {
      const { bytes, events, state: begun } = generated(state, batches)
      const opened = Result.getOrThrow(open(bytes, keyRing, begun.session.id))
      deepStrictEqual(opened.events, events)
      strictEqual(opened.torn, 0)
      assertSuccess(Journal.fold(begun, opened), Result.getOrThrow(SessionEvent.fold(begun, events)))
    },
    { arbitrary: { runs: 80, seed: 1 } }
  )

  it("write a line an event, numbered from the snapshot's revision on, and name the batch by its first", () => {
    const numbers = lines.slice(1).map((line) => /^\{"seq":(\d+),"batch":(\d+),"at":"/.exec(textOf(line))?.slice(1))
    deepStrictEqual(numbers, [["5", "5"], ["6", "5"], ["7", "7"], ["8", "8"], ["9", "8"], ["10", "8"]])
    for (const line of lines) strictEqual(typeof JSON.parse(textOf(line)), "object")
  })

  it("say whose journal it is", () => {
    const opened = Result.getOrThrow(open(journal))
    deepStrictEqual([opened.epoch, opened.part, opened.snapshot], [2, 0, start.snapshot])
    assertSome(Journal.snapshotNamed(journal), start.snapshot)
  })

  it("take a journal without events for one in which nothing happened", () => {
    const opened = Result.getOrThrow(open(lines[0] ?? new Uint8Array(0)))
    deepStrictEqual(opened.events, [])
    strictEqual(opened.torn, 0)
  })

  it("keep members of events that this version does not know", () => {
    const event = { _tag: "Annotated", metadata: { a: 1 }, future: [1] }
    const opened = Result.getOrThrow(open(signed([first, { seq: 5, batch: 5, at, event, further: 1 }])))
    deepStrictEqual<unknown>(opened.events, [{ at, event }])
  })

  it("give nothing without the key that signs", () => {
    assertNone(Journal.writer(lostKey, start))
  })

  it("read a journal of an older key of the ring", () => {
    assertTrue(Result.isSuccess(open(journal, keyRingOf("second", "first"))))
  })

  it("keep the longest first line within its limit", () => {
    const ring = keyRingOf("k".repeat(32))
    const most = Number.MAX_SAFE_INTEGER
    const writer = Option.getOrThrow(Journal.writer(ring, {
      id,
      epoch: most,
      part: most,
      snapshot: publish(small, { epoch: most }, ring).signature,
      revision: most
    }))
    assertTrue(writer.firstLine.length <= Journal.maxFirstLineBytes)
    assertTrue(Result.isSuccess(open(writer.firstLine, ring)))
  })
})

describe("Journal.open on a write that was cut short", () => {
  it("gives the events of all whole lines and counts the rest, wherever it was cut", () => {
    for (let length = 0; length < journal.length; length++) {
      const found = outcome(journal.subarray(0, length))
      const cutLine = lineAt(length)
      strictEqual(found, cutLine === 1 ? "broken at 1" : tornFrom(cutLine, length), `${length} bytes`)
    }
    strictEqual(outcome(journal), whole)
  })

  it("leaves out a last batch of zeros, as a power failure leaves them", () => {
    for (let from = startOf(lastBatch); from < journal.length; from += 7) {
      strictEqual(
        outcome(Uint8Array.from(journal).fill(0, from)),
        tornFrom(lineAt(from)),
        `zeros from ${from}`
      )
    }
  })

  it("leaves out a last batch of which only the first part is missing", () => {
    const from = startOf(lastBatch)
    for (const bytes of [1, 20, 100, (lines[lastBatch - 1] ?? journal).length]) {
      strictEqual(outcome(Uint8Array.from(journal).fill(0, from, from + bytes)), tornFrom(lastBatch))
    }
  })

  it("leaves out anything else behind the last line", () => {
    for (const more of ["\n", "{", "{}\n", "\0\0\0\0", textOf(lines[3] ?? journal), textOf(lines[6] ?? journal)]) {
      const bytes = Text.concat([journal, Text.toBytes(more)])
      strictEqual(outcome(bytes), `${events.length} events, ${bytes.length - journal.length} torn`)
    }
  })

  it.prop(
    "gives a beginning of what happened, wherever any journal was cut",
    { state: states, batches, place: Unit },
    ({ batches, place, state }) => {
      const { bytes, events, state: begun } = generated(state, batches)
      const result = open(bytes.subarray(0, Math.floor(place * bytes.length)), keyRing, begun.session.id)
      if (Result.isFailure(result)) return assertFailure(result, broken(1, begun.session.id))
      deepStrictEqual(result.success.events, events.slice(0, result.success.events.length))
    },
    { arbitrary: { runs: 80, seed: 2 } }
  )
})

describe("Journal.open on a journal that was damaged or changed", () => {
  /** Every bit where a line begins and ends, one of each byte between. */
  const bitsAt = (index: number): ReadonlyArray<number> => {
    const line = lineAt(index)
    const isAtEdge = index < startOf(line) + 30 || index >= startOf(line + 1) - 2
    return isAtEdge ? [0, 1, 2, 3, 4, 5, 6, 7] : [index % 8]
  }

  it("refuses a bit that flips in any byte before the last batch at its line, and cuts the last batch there", () => {
    for (let index = 0; index < journal.length; index++) {
      const line = lineAt(index)
      for (const bit of bitsAt(index)) {
        const found = outcome(flipped(journal, index, 1 << bit))
        const expected = line < lastBatch ? `broken at ${line}` : tornFrom(line)
        assertTrue(
          found === expected || line === 1 && ["UnknownKey", "SchemaVersion"].includes(found),
          `bit ${bit} of byte ${index} in line ${line}: ${found}`
        )
      }
    }
  })

  it.prop(
    "never gives anything but what happened before the last batch or within it, whatever byte of a journal changes",
    { state: states, batches, place: Unit, change: Unit },
    ({ batches, change, place, state }) => {
      const { bytes, events, lines, state: begun, written } = generated(state, batches)
      const index = Math.floor(place * bytes.length)
      const result = open(flipped(bytes, index, 1 << Math.floor(change * 8)), keyRing, begun.session.id)
      const acknowledged = written.slice(0, -1).flat().length
      const isBeforeLast = index < Text.concat(lines.slice(0, 1 + acknowledged)).length
      if (isBeforeLast) return assertTrue(Result.isFailure(result))
      const found = Result.getOrThrow(result)
      assertTrue(found.events.length >= acknowledged && found.torn > 0)
      deepStrictEqual(found.events, events.slice(0, found.events.length))
    },
    { arbitrary: { runs: 80, seed: 3 } }
  )

  it("refuses a stretch of zeros before the last batch", () => {
    for (let line = 2; line < lastBatch; line++) {
      const from = startOf(line) + 10
      strictEqual(outcome(Uint8Array.from(journal).fill(0, from, from + 40)), `broken at ${line}`)
    }
  })

  it("refuses damage that reaches from an earlier batch into the last one", () => {
    const end = startOf(lastBatch)
    for (const reach of [1, 10, 40]) {
      strictEqual(outcome(Uint8Array.from(journal).fill(0, end - 5, end + reach)), `broken at ${lastBatch - 1}`)
    }
  })

  it("refuses a journal from whose middle a line was dropped", () => {
    for (let line = 1; line < lastBatch; line++) {
      strictEqual(outcome(edited((lines) => lines.splice(line - 1, 1))), `broken at ${line}`)
    }
  })

  it("gives no more than a beginning of the last batch where a line of it was dropped", () => {
    for (let line = lastBatch; line <= lines.length; line++) {
      const bytes = edited((lines) => lines.splice(line - 1, 1))
      strictEqual(outcome(bytes), tornFrom(line, bytes.length))
    }
  })

  it("refuses a journal in which two lines were swapped", () => {
    for (let line = 1; line < lastBatch; line++) {
      const bytes = edited((lines) => lines.splice(line - 1, 2, ...lines.slice(line - 1, line + 1).toReversed()))
      strictEqual(outcome(bytes), `broken at ${line}`)
    }
  })

  it("refuses a line that comes twice, and never counts it", () => {
    const twice = (line: number) => edited((lines) => lines.splice(line, 0, ...lines.slice(line - 1, line)))
    for (let line = 2; line < lastBatch - 1; line++) strictEqual(outcome(twice(line)), `broken at ${line + 1}`)
    for (let line = lastBatch - 1; line <= lines.length; line++) {
      const bytes = twice(line)
      strictEqual(outcome(bytes), tornFrom(line + 1, bytes.length))
    }
  })

  it("refuses a line of another journal of the same session", () => {
    const other = journalLines({ ...start, epoch: 3 }, eventsOf)
    for (let line = 2; line < lastBatch; line++) {
      strictEqual(
        outcome(edited((lines) => lines.splice(line - 1, 1, ...other.slice(line - 1, line)))),
        `broken at ${line}`
      )
    }
    strictEqual(outcome(Text.concat([...other.slice(0, 1), ...lines.slice(1)])), "broken at 2")
  })

  it("refuses a journal that was put under another session, also with its id written over", () => {
    assertFailure(open(journal, keyRing, otherId), broken(1, otherId))
    const renamed = Text.toBytes(textOf(journal).replaceAll(id, otherId))
    assertFailure(open(renamed, keyRing, otherId), broken(1, otherId))
    assertFailure(open(renamed), broken(1))
  })

  it("refuses a journal that names another snapshot than it was begun on", () => {
    const { signature } = publish(small, { epoch: 9 })
    assertFailure(open(Text.toBytes(textOf(journal).replace(start.snapshot, signature))), broken(1))
  })

  it("refuses a key that is not in the key ring, and names it", () => {
    assertFailure(
      open(Text.concat(journalLines(start, eventsOf, strangers))),
      new InvalidJson({ id, reason: new UnknownKey({ keyId: "strange" }) })
    )
    assertFailure(
      open(Text.toBytes(textOf(journal).replace("\"key\":\"first\"", "\"key\":\"constructor\""))),
      new InvalidJson({ id, reason: new UnknownKey({ keyId: "constructor" }) })
    )
  })

  it("does not take a text that is no key id for a key", () => {
    for (const key of ["", "S3CRET\\u001b[31m\\n", "a b", "k".repeat(33)]) {
      assertFailure(open(Text.toBytes(textOf(journal).replace("\"key\":\"first\"", `"key":"${key}"`))), broken(1))
    }
  })

  it("refuses what has no first line of a journal", () => {
    const texts = [
      "",
      "\n",
      "{}\n",
      "[]\n",
      "null\n",
      "not JSON\n",
      `${nested(200)}\n`,
      `${JSON.stringify(first)}\n`,
      `${JSON.stringify({ ...first, mac: "" })}\n`,
      `${JSON.stringify({ ...first, further: "x".repeat(600) })}\n`
    ]
    for (const text of texts) assertFailure(open(Text.toBytes(text)), broken(1))
    assertFailure(open(new Uint8Array(1000)), broken(1))
    assertFailure(open(new Uint8Array([0xff, 0x0a])), broken(1))
    assertFailure(open(Text.concat([new Uint8Array([0xef, 0xbb, 0xbf]), journal])), broken(1))
    assertFailure(open(edited((lines) => lines.shift())), broken(1))
  })

  it("refuses a first line of another version or shape, properly signed", () => {
    const wrong: ReadonlyArray<Schema.Json> = [
      { ...first, journal: 1 },
      { ...first, id: otherId },
      { ...first, journal: "2" },
      { ...first, epoch: -1 },
      { ...first, part: 0.5 },
      { ...first, revision: "4" },
      { ...first, snapshot: null }
    ]
    for (const start of wrong) assertFailure(open(signed([start])), broken(1))
    assertSuccess(Result.map(open(signed([first])), ({ events }) => events), [])
  })

  it("answers a journal of a newer version with that version", () => {
    const newer = open(signed([{ ...first, journal: 3 }]))
    assertFailure(newer, new SessionError.SchemaVersion({ id, found: 3, supported: 2 }))
  })

  it("refuses numbers that jump or stand still, properly signed", () => {
    assertTrue(Result.isSuccess(open(signed([first, line(5, 5), line(6, 5)]))))
    assertFailure(open(signed([first, line(6, 6)])), broken(2))
    assertFailure(open(signed([first, line(4, 4)])), broken(2))
    assertFailure(open(signed([first, line(5, 5), line(5, 5)])), broken(3))
    assertFailure(open(signed([first, line(5, 5), line(7, 7)])), broken(3))
  })

  it("refuses lines of another shape, properly signed, by place and expectation and without their content", () => {
    const secret = "S3CRET"
    const wrong: ReadonlyArray<readonly [Schema.Json, string]> = [
      [{ ...line(5, 5), at: secret }, "journal line 2 at"],
      [{ ...line(5, 5), event: { _tag: secret } }, "journal line 2 event"],
      [{ ...line(5, 5), event: secret }, "journal line 2 event"],
      [{ ...line(5, 5), event: { _tag: "PromptRecorded", prompt: [secret] } }, "journal line 2 event.prompt"],
      [{ ...line(5, 5), event: { _tag: "Renamed", name: secret.repeat(20) } }, "journal line 2 event.name"],
      [{ ...line(5, 5), event: { _tag: "Renamed" } }, "journal line 2 event.name"],
      [{ ...line(5, 5), seq: secret }, "journal line 2 seq"],
      [{ ...line(5, 5), batch: -1 }, "journal line 2 batch"]
    ]
    for (const [object, path] of wrong) {
      const result = open(signed([first, object]))
      assertTrue(Result.isFailure(result) && result.failure._tag === "InvalidJson")
      const { message, reason } = result.failure
      assertTrue(reason._tag === "Shape", reason._tag)
      strictEqual(reason.path, path)
      strictEqual(message.includes(secret), false, message)
    }
  })

  it("refuses signed bytes that are not JSON, without showing them", () => {
    for (const json of ["{\"_tag\":", "S3CRET", "{}}", ""]) {
      const writer = Option.getOrThrow(Journal.writer(keyRing, start))
      const result = open(Text.concat([writer.firstLine, writer.encode([{ at, json: Text.toBytes(json) }])]))
      assertFailure(
        result,
        new InvalidJson({ id, reason: new SessionError.Shape({ path: "journal line 2", expected: "JSON" }) })
      )
    }
  })

  it("does not take content that looks like a line for one", () => {
    const lookalike = `{"seq":999,"batch":999,"at":"${at}","event":{}}`
    const mac = "A".repeat(43)
    const metadata: Json.JsonObject = {
      text: `\n${lookalike}\n"mac":"${mac}"}\n${lookalike}`,
      list: [{ a: 1, mac }, { seq: 999, batch: 999, at, event: {} }],
      mac
    }
    const written = journalLines(start, [
      [prompt("a")],
      [{ at, event: { _tag: "Annotated", metadata } }]
    ])
    const bytes = Text.concat(written)
    const last = bytes.length - (written[2] ?? bytes).length
    for (const damaged of [flipped(bytes, last + 3, 1), flipped(bytes, bytes.length - 3, 1), bytes.subarray(0, -1)]) {
      const opened = Result.getOrThrow(open(damaged))
      strictEqual(opened.events.length, 1)
      strictEqual(opened.torn, damaged.length - last)
    }
  })
})

describe("Journal.snapshotNamed", () => {
  it("reads the name from the first bytes alone, and nothing from what is no journal", () => {
    assertSome(Journal.snapshotNamed(journal.subarray(0, Journal.maxFirstLineBytes)), start.snapshot)
    assertSome(Journal.snapshotNamed(lines[0] ?? journal), start.snapshot)
    for (const text of ["", "{}", "\n", "{\"snapshot\":\"x\"}\n", textOf(publish(small).bytes)]) {
      assertNone(Journal.snapshotNamed(Text.toBytes(text)))
    }
    assertNone(Journal.snapshotNamed(new Uint8Array(2000)))
    assertNone(Journal.snapshotNamed(journal.subarray(0, 100)))
  })
})

describe("Journal.fold", () => {
  it("names the line of an event that the state refuses", () => {
    const usage = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0, totalCost: 0 }
    const message: Session.Message = { id: "1", role: "user", content: "", timestamp: at, usage }
    const refusedEvent: SessionEvent.Recorded = { at, event: { _tag: "MessageAppended", message } }
    const opened = Result.getOrThrow(
      open(Text.concat(journalLines(start, [[prompt("a")], [refusedEvent], [prompt("b")]])))
    )
    assertFailure(Journal.fold(small, opened), broken(3))
  })
})
