/** What readers of other agents' histories make of records in which anything may be something else. */
import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import * as NodeFs from "node:fs"
import * as Detect from "../../../src/core/history/Detect.ts"
import type * as History from "../../../src/core/history/History.ts"
import type { JsonObject } from "../../../src/core/Json.ts"
import * as JsonDocument from "../../../src/core/JsonDocument.ts"
import { Message } from "../../../src/core/Session.ts"
import * as Histories from "../../suites/history.ts"

const parse = (text: string): Schema.Json =>
  Option.getOrNull(Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))(text))

/** Every object of an agent's fixtures that stands on its own, or inside of a document of lists. */
const recordsOf = (kind: History.HistoryKind): ReadonlyArray<JsonObject> => {
  const texts = NodeFs.readdirSync(`${Histories.fixtures}${kind}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => NodeFs.readFileSync(`${parentPath}/${name}`, "utf8"))
  const objects = (value: Schema.Json, depth: number): ReadonlyArray<JsonObject> => {
    if (typeof value !== "object" || value === null || depth === 0) return []
    const inner = Object.values<Schema.Json>(value).flatMap((member) => objects(member, depth - 1))
    return JsonDocument.isObject(value) ? [value, ...inner] : inner
  }
  return texts.flatMap((text) =>
    text.split("\n").some((line) => line === "{" || line === "[")
      ? objects(parse(text), 4)
      : text.split("\n").filter((line) => line !== "").flatMap((line) => objects(parse(line), 2))
  )
}

const others: ReadonlyArray<Schema.Json> = [null, true, -1, "", "text", [], [1], {}, [{ type: "text" }]]

/** The record with each of its members, down to some depth, left out or something else. */
function* mutated(value: Schema.Json, depth: number): Generator<Schema.Json> {
  if (typeof value !== "object" || value === null || depth === 0) return
  for (const [key, member] of Object.entries<Schema.Json>(value)) {
    const put = (instead: Schema.Json): Schema.Json => {
      const members = Object.entries<Schema.Json>(value).map(([name, one]) =>
        [name, name === key ? instead : one] as const
      )
      return JsonDocument.isObject(value) ? Object.fromEntries(members) : members.map(([, one]) => one)
    }
    for (const other of others) yield put(other)
    for (const inner of mutated(member, depth - 1)) yield put(inner)
    if (JsonDocument.isObject(value)) yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
  }
}

const isMessage = Schema.is(Message)
const known = { id: "id", timestamp: "2026-01-31T09:30:00.000Z" }

describe("The reader of histories", () => {
  for (const kind of Histories.agents) {
    it(`of ${kind} says something of every record, whatever stands in it, and lets nobody say what is no message`, () => {
      const { read } = Detect.reader(kind)
      let records = 0
      for (const record of recordsOf(kind)) {
        for (const instead of mutated(record, 3)) {
          if (!JsonDocument.isObject(instead)) continue
          records++
          for (const { outcome, said = [] } of read(instead)) {
            assert.include(["Mapped", "Kept", "Skipped"], outcome._tag)
            for (const { parts, role } of said) {
              assert.isTrue(isMessage({ ...known, role, content: parts }), JSON.stringify(instead))
            }
          }
        }
      }
      assert.isAbove(records, 100)
    })
  }
})
