import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import * as Json from "../../src/core/Json.ts"
import * as JsonDocument from "../../src/core/JsonDocument.ts"
import * as JsonNumber from "../../src/core/JsonNumber.ts"
import * as JsonText from "../../src/core/JsonText.ts"
import * as Text from "../../src/core/Text.ts"
import * as Documents from "./documents.ts"

const exact = [
  "0",
  "-0",
  "0.0",
  "-0.0",
  "0e0",
  "0e999999999",
  "1",
  "-1",
  "1.0",
  "1.50",
  "100",
  "1e2",
  "1E+2",
  "1e-2",
  "0.1",
  "0.7",
  "0.30000000000000004",
  "123456789012345",
  "9007199254740991",
  "-9007199254740991",
  "9007199254740992",
  "9007199254740994",
  "9.007199254740992e15",
  "9007199254740992.000",
  "1.0e22",
  "1e23",
  "1.7976931348623157e308",
  "17976931348623157e292",
  "5.0e-324",
  "2.2250738585072014e-308",
  "1234567.125",
  `1${"0".repeat(22)}`,
  `1${"0".repeat(400)}e-400`,
  `0.${"0".repeat(50)}1`,
  `1.${"0".repeat(50)}`
]

const inexact = [
  "9007199254740993",
  "-9007199254740993",
  "9007199254740992.5",
  "0.1000000000000000055511151231257827",
  "0.12345678901234567890",
  "123456789012345678901234567890",
  "1.7976931348623159e308",
  "1e309",
  "-1e309",
  "1e400",
  "1e99999999999999999999",
  "1e-400",
  "1e-99999999999999999999",
  "3e-324",
  "4.9e-324",
  `0.${"0".repeat(400)}1`,
  "1".repeat(400)
]

const finite = Arbitrary.schema(Schema.Finite)
const digits = Arbitrary.schema(Schema.String.check(Schema.isPattern(/^[0-9]{1,20}$/)))
const whole = Arbitrary.map(digits, (text) => text.replace(/^0+(?=\d)/, ""))
const exponent = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -330, maximum: 330 })))

/** The exact value of a decimal number, as a fraction over a power of ten, in lowest terms. */
const decimal = (literal: string): string => {
  const [, sign, integer = "", fraction = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal) ??
    []
  let mantissa = BigInt(integer + fraction)
  let scale = Number(power) - fraction.length
  if (mantissa === 0n) return "0"
  while (mantissa % 10n === 0n) {
    mantissa /= 10n
    scale++
  }
  return `${sign}${mantissa}e${scale}`
}

const factsOf = (text: string) => JsonText.inspect(text)

describe("A number in JSON text", () => {
  for (const literal of exact) {
    it(`${literal.slice(0, 40)} can be kept exactly`, () => {
      assert.isTrue(JsonNumber.isExact(literal))
      assert.isTrue(factsOf(`{"a":[${literal},${literal}]}`).isExact)
    })
  }

  for (const literal of inexact) {
    it(`${literal.slice(0, 40)} can't be kept exactly, and is refused wherever it stands`, () => {
      assert.isFalse(JsonNumber.isExact(literal))
      assert.isFalse(factsOf(`{"a":[1,${literal},2]}`).isExact)
      for (const text of [literal, `[${literal}]`, `{"a":{"b":[1, ${literal} ]}}`]) {
        const expected = { offset: text.indexOf(literal), expected: "a number that can be kept exactly" }
        assert.deepStrictEqual(Result.getFailure(Json.parse(text)), Result.getFailure(Result.fail(expected)))
        assert.deepStrictEqual(Result.getFailure(Json.parseForeign(text)), Result.getFailure(Result.fail(expected)))
      }
    })
  }

  it.effect.prop(
    "that was written from a double can be kept exactly",
    { value: finite },
    ({ value }) =>
      Effect.sync(() => {
        assert.isTrue(JsonNumber.isExact(JSON.stringify(value)))
        assert.isTrue(factsOf(JSON.stringify([value])).isExact)
      }),
    { arbitrary: { runs: 500, seed: 4 } }
  )

  it.effect.prop(
    "can be kept exactly if and only if its double is written as the same decimal number",
    { whole, fraction: digits, exponent },
    ({ exponent, fraction, whole }) =>
      Effect.sync(() => {
        for (
          const literal of [whole, `${whole}.${fraction}`, `-${whole}e${exponent}`, `${whole}.${fraction}E${exponent}`]
        ) {
          const value = Number(literal)
          const expected = Number.isFinite(value) && decimal(String(value)).replace("-0", "0") === decimal(literal)
          assert.strictEqual(JsonNumber.isExact(literal), expected, literal)
          assert.strictEqual(factsOf(`[${literal}]`).isExact, expected, literal)
          assert.strictEqual(Result.isSuccess(Json.parse(`[${literal}]`)), expected, literal)
          assert.strictEqual(Result.isSuccess(Json.parseForeign(`[${literal}]`)), expected, literal)
        }
      }),
    { arbitrary: { runs: 300, seed: 4 } }
  )

  it("is no concern where it is part of a text", () => {
    for (const text of ["9007199254740993", "1e400", "0.12345678901234567890 and 1e999"]) {
      assert.deepStrictEqual(Result.getOrThrow(Json.parse(JSON.stringify([text]))), [text])
      assert.deepStrictEqual(Result.getOrThrow(Json.parseForeign(JSON.stringify({ [text]: text }))), { [text]: text })
    }
  })
})

describe("Looking for inexact numbers takes no longer for", () => {
  const long = 100_000
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["a text of dots", JSON.stringify(".".repeat(long))],
    ["a text of digits and dots", JSON.stringify("1.".repeat(long))],
    ["a text of digits", JSON.stringify("7".repeat(long))],
    ["a text of minus signs", JSON.stringify("-".repeat(long))],
    ["a text of exponents", JSON.stringify("1e".repeat(long))],
    ["many small numbers", JSON.stringify(Array.from({ length: long }, (_, index) => index / 8))],
    ["a number with zeros inside", `0.1${"0".repeat(long)}1`],
    ["a number with zeros in front", `0.${"0".repeat(long)}1`],
    ["a number with zeros behind", `0.1${"0".repeat(long)}`],
    ["a number with many runs of zeros", `0.${"1000000000".repeat(long / 10)}1`],
    ["a number with a long exponent", `1e${"0".repeat(long)}1`]
  ]
  for (const [name, text] of cases) {
    it(`${name} than for another text of its length`, () => {
      const start = performance.now()
      Json.parse(text)
      Json.parseForeign(text)
      // Quadratic takes ten seconds and more, linear a few milliseconds.
      assert.isBelow(performance.now() - start, 8000)
    }, 60_000)
  }
})

const bytesOf = (text: string) => Text.toBytes(text)
const reasonOf = (bytes: Uint8Array, parse = JsonDocument.parseForeign) =>
  Result.match(parse(bytes), { onFailure: ({ _tag }): string => _tag, onSuccess: () => "accepted" })

describe("A document of others", () => {
  const twice = [
    "{\"a\":1,\"a\":1}",
    "{\"a\":1,\"b\":2,\"a\":3}",
    "{\"a\":1,\"\\u0061\":1}",
    "{\"x\":{\"a\":1,\"a\":2}}",
    "{\"x\":[[{\"y\":{\"a\":null,\"b\":[],\"a\":{}}}]]}",
    "{\"\":1,\"\":2}",
    "{\"__proto__\":1,\"__proto__\":2}",
    "{\"constructor\":1,\"constructor\":1}",
    "{\"a\\\\\":1,\"a\\u005c\":1}"
  ]
  for (const text of twice) {
    it(`that has a key twice is refused: ${text}`, () => {
      const result = JsonDocument.parseForeign(bytesOf(text))
      assert.deepInclude(Result.getOrThrow(Result.flip(result)), {
        _tag: "Shape",
        expected: "a key that is there once"
      })
    })
  }

  it("may have one key in several objects, and keys that differ in case or normal form", () => {
    for (const text of ["{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}}", "{\"a\":1,\"A\":1}", "{\"é\":1,\"e\u0301\":1}"]) {
      assert.strictEqual(reasonOf(bytesOf(text)), "accepted")
    }
  })

  it("keeps prototype keys as plain members", () => {
    const text = "{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":1},\"toString\":null}"
    const document = Result.getOrThrow(JsonDocument.parseForeign(bytesOf(text)))
    assert.deepStrictEqual(Object.keys(document), ["__proto__", "constructor", "toString"])
    assert.strictEqual(JSON.stringify(document), text)
    assert.isUndefined(Reflect.get({}, "polluted"))
  })

  const refused: ReadonlyArray<readonly [string, Uint8Array, string]> = [
    ["begins with a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), "NotUtf8"],
    ["is UTF-16", Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0), "NotUtf8"],
    ["has a byte that UTF-8 has not", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), "NotUtf8"],
    ["is overlong UTF-8", Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d), "NotUtf8"],
    ["has a surrogate in UTF-8", Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d), "NotUtf8"],
    ["ends within a character", Uint8Array.of(0x7b, 0x22, 0xe2, 0x82), "NotUtf8"],
    ["has a lone high surrogate", bytesOf("{\"a\":\"\\ud800\"}"), "Shape"],
    ["has a lone low surrogate", bytesOf("{\"a\":[\"x\\uDC00\"]}"), "Shape"],
    ["has surrogates in the wrong order", bytesOf("{\"a\":\"\\udc00\\ud800\"}"), "Shape"],
    ["has a lone surrogate in a key", bytesOf("{\"a\":{\"\\uDBFF\":1}}"), "Shape"],
    ["is empty", bytesOf(""), "Syntax"],
    ["is cut short", bytesOf("{\"a\":1"), "Syntax"],
    ["has something behind it", bytesOf("{} {}"), "Syntax"],
    ["has a NUL", bytesOf("{\"a\":1}\0"), "Syntax"],
    ["has a trailing comma", bytesOf("{\"a\":1,}"), "Syntax"],
    ["has a comment", bytesOf("{/* */}"), "Syntax"],
    ["has NaN", bytesOf("{\"a\":NaN}"), "Syntax"],
    ["is an array", bytesOf("[]"), "Shape"],
    ["is a text", bytesOf("\"{}\""), "Shape"],
    ["is null", bytesOf("null"), "Shape"]
  ]
  for (const [name, bytes, reason] of refused) {
    it(`that ${name} is refused as ${reason}, as one of ours is`, () => {
      assert.strictEqual(reasonOf(bytes), reason)
      assert.strictEqual(reasonOf(bytes, JsonDocument.parse), reason)
    })
  }

  it("may have pairs of surrogates, written as escapes", () => {
    assert.deepStrictEqual(Result.getOrThrow(JsonDocument.parseForeign(bytesOf("{\"a\":\"\\ud83e\\udd8a\"}"))), {
      a: "🦊"
    })
  })

  it("that nests 100,000 levels deep is read without running out of stack", () => {
    assert.strictEqual(reasonOf(bytesOf(`{"a":${Documents.nested(100_000)}}`)), "accepted")
    assert.strictEqual(reasonOf(bytesOf("{\"a\":".repeat(100_000))), "Syntax")
  })

  it.effect.prop(
    "is read as the platform reads it",
    { value: Schema.Record(Schema.String, Schema.Json) },
    ({ value }) =>
      Effect.sync(() => {
        const text = JSON.stringify(value, null, 2)
        const parsed: unknown = JSON.parse(text)
        const read = JsonDocument.parseForeign(bytesOf(text))
        if (/\\ud[89a-f]/i.test(text)) return
        assert.deepStrictEqual(Result.getOrThrow(read), parsed)
      }),
    { arbitrary: { runs: 100, seed: 4 } }
  )
})
