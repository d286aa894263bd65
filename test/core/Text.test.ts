import { describe, it } from "@effect/vitest"
import { assertNone, assertSome, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Schema } from "effect"
import * as Text from "../../src/core/Text.ts"

const texts = Arbitrary.map(Arbitrary.schema(Schema.String), (text) => text.toWellFormed())

describe("Text", () => {
  it.prop("reads what it wrote", [texts], ([text]) => {
    assertSome(Text.fromBytes(Text.toBytes(text)), text)
  }, { arbitrary: { runs: 100, seed: 1 } })

  it("reads every kind of UTF-8 sequence", () => {
    const text = "\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"
    assertSome(Text.fromBytes(Text.toBytes(text)), text)
    assertSome(Text.fromBytes(new Uint8Array(0)), "")
  })

  it("refuses bytes that are not UTF-8 instead of replacing them", () => {
    const invalid: ReadonlyArray<ReadonlyArray<number>> = [
      [0x80],
      [0xc0, 0x80],
      [0xc3],
      [0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xfe],
      [0xff]
    ]
    for (const bytes of invalid) {
      assertNone(Text.fromBytes(new Uint8Array(bytes)))
      assertNone(Text.fromBytes(new Uint8Array([0x61, ...bytes, 0x61])))
    }
  })

  it("refuses a byte order mark at the start and keeps it elsewhere", () => {
    assertNone(Text.fromBytes(new Uint8Array([0xef, 0xbb, 0xbf])))
    assertNone(Text.fromBytes(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])))
    assertSome(Text.fromBytes(new Uint8Array([0x61, 0xef, 0xbb, 0xbf])), "a\ufeff")
  })

  it("joins pieces in their order", () => {
    deepStrictEqual(
      Text.concat([new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3])]),
      new Uint8Array([1, 2, 3])
    )
    strictEqual(Text.concat([]).length, 0)
  })
})
