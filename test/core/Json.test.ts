import { describe, it } from "@effect/vitest"
import { assertFailure, assertSuccess, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Result, Schema } from "effect"
import * as Json from "../../src/core/Json.ts"
import { nested } from "./documents.ts"

/** JSON without lone surrogates and `-0`, which a copy does not keep. */
const values = Arbitrary.map(
  Arbitrary.schema(Schema.Json),
  (value): Schema.Json => Result.getOrThrow(Json.parse(JSON.stringify(value).replace(/\\u[dD][0-9a-fA-F]{3}/g, "?")))
)

const expectation = (value: unknown, depth = 64): string =>
  Result.match(Json.copy(value, depth), {
    onSuccess: () => "accepted",
    onFailure: ({ expected, path }) => `${Json.formatPath(path)}: ${expected}`
  })

const syntax = (offset: number) => ({ offset, expected: "JSON" as const })

describe("Json.parse", () => {
  it.prop("reads what JSON.stringify wrote", [values], ([value]) => {
    assertSuccess(Json.parse(JSON.stringify(value)), value)
    assertSuccess(Json.parse(JSON.stringify(value, undefined, "\t")), value)
  }, { arbitrary: { runs: 100, seed: 1 } })

  const mistakes: ReadonlyArray<readonly [text: string, offset: number]> = [
    ["", 0],
    ["  ", 2],
    ["x", 0],
    ["\ufeff{}", 0],
    ["\u00a0{}", 0],
    ["{", 1],
    ["}", 0],
    ["]", 0],
    ["[", 1],
    ["[1", 2],
    ["[1,", 3],
    ["[1,]", 3],
    ["[,1]", 1],
    ["[1 2]", 3],
    ["[1}", 2],
    ["{]", 1],
    ["{1:2}", 1],
    ["{a:1}", 1],
    ["{'a':1}", 1],
    ["{\"a\"", 4],
    ["{\"a\"}", 4],
    ["{\"a\":", 5],
    ["{\"a\":}", 5],
    ["{\"a\":1", 6],
    ["{\"a\":1]", 6],
    ["{\"a\":1,", 7],
    ["{\"a\":1,}", 7],
    ["{\"a\":1,,\"b\":2}", 7],
    ["{\"a\":1 \"b\":2}", 7],
    ["{\"a\" 1}", 5],
    ["{,}", 1],
    ["{} {}", 3],
    ["[] x", 3],
    ["1 2", 2],
    ["// no\n1", 0],
    ["[1] // no", 4],
    ["'a'", 0],
    ["\"a", 2],
    ["\"", 1],
    ["\"a\nb\"", 2],
    ["\"a\tb\"", 2],
    ["\"\u0000\"", 1],
    ["\"\\x\"", 2],
    ["\"\\", 2],
    ["\"\\u12G4\"", 5],
    ["\"\\u12", 5],
    ["\"\\U0041\"", 2],
    ["\"\\'\"", 2],
    ["tru", 3],
    ["tru}", 3],
    ["[truE]", 4],
    ["TRUE", 0],
    ["fals", 4],
    ["falsy", 4],
    ["n", 1],
    ["nil", 1],
    ["nullx", 4],
    ["undefined", 0],
    ["NaN", 0],
    ["-", 1],
    ["-x", 1],
    ["+1", 0],
    ["01", 1],
    ["-01", 2],
    ["1.", 2],
    ["1.x", 2],
    [".5", 0],
    ["1e", 2],
    ["1e+", 3],
    ["[1e+]", 4],
    ["1.5e5.5", 5],
    ["0x10", 1],
    ["1_000", 1],
    ["-Infinity", 1],
    ["\"👋\" x", 5],
    ["[\"é\\u00e9\",\n\ttrue,\n\t}", 20],
    ["{\"a\":{\"b\":[1,{\"c\":nul}]}}", 21]
  ]

  for (const [text, offset] of mistakes) {
    it(`gives offset ${offset} for ${JSON.stringify(text)}`, () => {
      assertFailure(Json.parse(text), syntax(offset))
    })
  }

  const alphabet = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "a",
    "u",
    "t",
    "e",
    "n",
    "0",
    "1",
    "-",
    ".",
    "+",
    " ",
    "\n",
    "\u0001"
  ]

  it.prop(
    "names the first character that can't stand: what is before could go on, and nothing that follows mends it",
    { value: values, place: Schema.Int, change: Schema.Int },
    ({ change, place, value }) => {
      const text = JSON.stringify(value, undefined, 1)
      const at = Math.abs(place) % (text.length + 1)
      const damaged = text.slice(0, at) + (alphabet[Math.abs(change) % alphabet.length] ?? "") + text.slice(at + 1)
      const parsed = Json.parse(damaged)
      // A number that was damaged may be one that can't be kept, which is no matter of grammar.
      if (Result.isSuccess(parsed) || parsed.failure.expected !== "JSON") return
      const { offset } = parsed.failure
      assertTrue(offset >= 0 && offset <= damaged.length)
      const before = damaged.slice(0, offset)
      const beforeParsed = Json.parse(before)
      if (Result.isFailure(beforeParsed)) strictEqual(beforeParsed.failure.offset, offset)
      if (offset === damaged.length) return
      for (const more of ["", "\"", "]", "}", "0", "e", " ", "\"}]"]) {
        assertFailure(Json.parse(damaged.slice(0, offset + 1) + more), syntax(offset))
      }
    },
    { arbitrary: { runs: 300, seed: 2 } }
  )

  it("finds the mistake in the longest and deepest text without running out of stack or time", () => {
    const levels = 300_000
    assertFailure(Json.parse("[".repeat(levels)), syntax(levels))
    assertFailure(Json.parse("{\"a\":".repeat(levels)), syntax(5 * levels))
    assertFailure(Json.parse(`[${"1,".repeat(levels)}]`), syntax(2 * levels + 1))
    assertFailure(Json.parse(`"${"\\n".repeat(levels)}`), syntax(2 * levels + 1))
    assertTrue(Result.isSuccess(Json.parse(nested(levels))))
  })

  it("keeps prototype keys as members", () => {
    const parsed = Result.getOrThrow(Json.parse("{\"__proto__\":{\"a\":1},\"constructor\":2}"))
    assertTrue(typeof parsed === "object" && parsed !== null)
    deepStrictEqual(Object.keys(parsed), ["__proto__", "constructor"])
    strictEqual(Object.getPrototypeOf(parsed), Object.prototype)
  })
})

describe("Json.copy", () => {
  it.prop("copies JSON to equal JSON that shares nothing with it", [values], ([value]) => {
    const copied = Result.getOrThrow(Json.copy(value, 64))
    strictEqual(JSON.stringify(copied), JSON.stringify(value))
    if (typeof value === "object" && value !== null) assertTrue(copied !== value)
  }, { arbitrary: { runs: 100, seed: 3 } })

  it.prop("copies exactly what is not nested too deep", [values], ([value]) => {
    for (const depth of [0, 1, 2, 3, 4]) {
      strictEqual(Result.isSuccess(Json.copy(value, depth)), !Json.isDeeperThan(value, depth))
    }
  }, { arbitrary: { runs: 100, seed: 4 } })

  it("is not reached by later changes of the original", () => {
    const inner = { list: [1, 2], text: "a" }
    const original = { inner, again: inner }
    const copied = Result.getOrThrow(Json.copy(original, 64))
    inner.list.push(3)
    inner.text = "b"
    deepStrictEqual<unknown>(copied, { inner: { list: [1, 2], text: "a" }, again: { list: [1, 2], text: "a" } })
  })

  it("leaves undefined members out and refuses undefined elements", () => {
    deepStrictEqual<unknown>(Result.getOrThrow(Json.copy({ a: undefined, b: 1 }, 64)), { b: 1 })
    strictEqual(expectation([1, undefined]), "[1]: a JSON value")
    strictEqual(expectation(undefined), ": a JSON value")
  })

  it("makes 0 of -0", () => {
    deepStrictEqual<unknown>(Result.getOrThrow(Json.copy([-0, 0], 64)), [0, 0])
  })

  it("refuses numbers that are not finite", () => {
    for (const number of [NaN, Infinity, -Infinity]) {
      strictEqual(expectation({ a: [number] }), "a[0]: a finite number")
    }
  })

  it("refuses lone surrogates in texts and keys", () => {
    strictEqual(expectation({ a: "\ud83d" }), "a: text without lone surrogates")
    strictEqual(expectation({ a: "\ude00\ud83d" }), "a: text without lone surrogates")
    assertTrue(expectation({ a: { "\udc00": 1 } }).endsWith("a key without lone surrogates"))
    strictEqual(expectation({ "😀": "😀" }), "accepted")
  })

  it("refuses cycles, through objects and arrays", () => {
    const object: { [key: string]: unknown } = {}
    object["self"] = { object, other: object }
    assertTrue(expectation(object).endsWith("at most 64 levels of nesting"))
    const array: Array<unknown> = []
    array.push(array, array)
    assertTrue(expectation(array).endsWith("at most 64 levels of nesting"))
  })

  it("accepts nesting up to the limit and refuses one level more", () => {
    const deep = (levels: number): unknown => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1)
    strictEqual(expectation(deep(64)), "accepted")
    assertTrue(expectation(deep(65)).endsWith("at most 64 levels of nesting"))
    assertTrue(expectation(deep(100_000)).endsWith("at most 64 levels of nesting"))
    strictEqual(expectation(1, 0), "accepted")
    strictEqual(expectation([], 0), ": at most 0 levels of nesting")
  })

  it("ends at its limit of values, also where shared ones multiply without end", () => {
    let shared: unknown = 1
    for (let level = 0; level < 60; level++) shared = [shared, shared]
    const refused = Json.copy(shared, 64, 1000)
    assertTrue(Result.isFailure(refused))
    strictEqual(refused.failure.expected, "at most 1000 values")
    assertTrue(Result.isSuccess(Json.copy([1, { a: 2 }], 64, 4)))
    assertTrue(Result.isFailure(Json.copy([1, { a: 2 }], 64, 3)))
  })

  it("refuses arrays with holes", () => {
    const holes = [1]
    holes[2] = 3
    strictEqual(1 in holes, false)
    strictEqual(expectation(holes), "[1]: a JSON value")
    const empty: Array<number> = []
    empty.length = 3
    strictEqual(expectation(empty), "[0]: a JSON value")
  })

  it("refuses what JSON has no form for", () => {
    class Point {
      readonly x = 1
    }
    const others: ReadonlyArray<unknown> = [
      new Date(0),
      new Map([["a", 1]]),
      new Set([1]),
      /x/,
      new Error("x"),
      new Uint8Array(2),
      new ArrayBuffer(2),
      new Point(),
      new String("a"),
      new Number(1),
      new Boolean(true),
      () => 1,
      Symbol("a"),
      1n,
      Promise.resolve(1),
      new Proxy(new Point(), {}),
      Object.create({ inherited: 1 })
    ]
    for (const value of others) {
      strictEqual(expectation(value), ": a JSON value")
      strictEqual(expectation({ a: [value] }), "a[0]: a JSON value")
    }
  })

  it("refuses a toJSON method instead of calling it or leaving it out", () => {
    strictEqual(expectation({ toJSON: () => "other" }), "toJSON: a JSON value")
  })

  it("copies objects without a prototype to plain ones, with prototype keys as members", () => {
    const bare: unknown = Object.assign(Object.create(null), { a: 1 })
    const copied = Result.getOrThrow(Json.copy(bare, 64))
    deepStrictEqual<unknown>(copied, { a: 1 })
    const strange = Result.getOrThrow(Json.copy(JSON.parse("{\"__proto__\":{\"polluted\":1},\"constructor\":2}"), 64))
    strictEqual(JSON.stringify(strange), "{\"__proto__\":{\"polluted\":1},\"constructor\":2}")
    strictEqual(Object.getPrototypeOf(strange), Object.prototype)
  })

  it("leaves symbols and what can't be enumerated out, as JSON does", () => {
    const value = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3, enumerable: false })
    deepStrictEqual<unknown>(Result.getOrThrow(Json.copy(value, 64)), { a: 1 })
  })

  it("reads each member once, so that a getter can't show one value and store another", () => {
    let reads = 0
    const value = {
      get a() {
        reads++
        return reads === 1 ? "first" : new Date(0)
      }
    }
    deepStrictEqual<unknown>(Result.getOrThrow(Json.copy(value, 64)), { a: "first" })
  })

  it("names the place of the first mistake", () => {
    assertFailure(
      Json.copy({ a: 1, b: [{}, { c: [0, NaN] }], d: NaN }, 64),
      { path: ["b", 1, "c", 1], expected: "a finite number" }
    )
  })
})

describe("Json.isDeeperThan", () => {
  it("counts levels of arrays and objects", () => {
    const cases: ReadonlyArray<readonly [Schema.Json, number]> = [
      [1, 0],
      ["text", 0],
      [null, 0],
      [[], 1],
      [{}, 1],
      [[1, "a"], 1],
      [[[]], 2],
      [{ a: 1, b: { c: [] } }, 3],
      [[1, [2], [[3]]], 3]
    ]
    for (const [value, levels] of cases) {
      strictEqual(Json.isDeeperThan(value, levels), false)
      if (levels > 0) strictEqual(Json.isDeeperThan(value, levels - 1), true)
    }
  })

  it("answers on any depth without running out of stack", () => {
    strictEqual(Json.isDeeperThan(Result.getOrThrow(Json.parse(nested(300_000))), 64), true)
  })
})

describe("Json.parse of what a parser does not tell", () => {
  it("takes what looks like an inexact number or an escaped key where it is in a text", () => {
    const texts = [
      "5e6789f0-1e99-4e5e-9e99-12345678901234567890",
      "{\"a\\n\":1}",
      "1e999, 0.1234567890123456789",
      "\\u"
    ]
    for (const text of texts) {
      const json = { [text.replaceAll(/["\\]/g, "")]: [text, 0.1, -1, 1e21], b: { c: text } }
      deepStrictEqual(Result.getOrThrow(Json.parse(JSON.stringify(json, null, 1))), json)
    }
  })

  it("refuses a lone surrogate in a text or a key, and takes a pair that is written with escapes", () => {
    for (const text of ["[\"\\ud800\"]", "{\"\\udfff\":1}", "{\"a\":{\"b\":\"\\uDE00\\uD83D\"}}"]) {
      deepStrictEqual(Json.parse(text), Result.fail({ offset: 0, expected: "no lone surrogates" }))
    }
    deepStrictEqual(Json.parse("[\"\\uD83D\\uDE00\"]"), Result.succeed(["😀"]))
  })

  it("counts the levels of arrays and objects, not brackets in texts", () => {
    const text = "{\"[[[\":[{\"a\":\"]]]{{{\\\"[[\"}],\"b\":[]}"
    strictEqual(Result.isSuccess(Json.parse(text, { maxDepth: 3 })), true)
    deepStrictEqual(Json.parse(text, { maxDepth: 2 }), Result.fail({ offset: 0, expected: "fewer levels" }))
  })
})

describe("Json.isWellFormed", () => {
  it("looks at every text and key", () => {
    for (
      const value of ["\ud800", ["a", "\udfff"], { a: { b: "\ud800" } }, { "\ud800": 1 }, [{ a: [{ "\ud800": [] }] }]]
    ) {
      strictEqual(Json.isWellFormed(value), false)
    }
    for (const value of ["😀", ["a"], { "😀": { a: "😀" } }, 1, null, true, [null], []]) {
      strictEqual(Json.isWellFormed(value), true)
    }
  })

  it("answers on any depth without running out of stack", () => {
    const deep = Result.getOrThrow(Json.parse(nested(300_000)))
    strictEqual(Json.isWellFormed(deep), true)
    strictEqual(Json.isWellFormed([deep, "\ud800"]), false)
  })
})

describe("Json.formatPath", () => {
  it("writes a place as one would in code", () => {
    strictEqual(Json.formatPath([]), "")
    strictEqual(Json.formatPath(["conversation", 3, "role"]), "conversation[3].role")
    strictEqual(Json.formatPath([0]), "[0]")
    strictEqual(Json.formatPath([0, 1, "a"]), "[0][1].a")
    strictEqual(Json.formatPath(["a", "b"]), "a.b")
    strictEqual(Json.formatPath(["a", Symbol("s")]), "a.Symbol(s)")
  })
})
