import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Lines from "../../../src/core/history/Lines.ts"
import * as Pieces from "../../../src/core/history/Pieces.ts"
import * as Records from "../../../src/core/history/Records.ts"
import * as Json from "../../../src/core/Json.ts"
import * as Text from "../../../src/core/Text.ts"

/** Cuts something into pieces of these lengths, again and again. */
const cut = <A extends { readonly length: number; slice: (from: number, to: number) => A }>(
  whole: A,
  lengths: ReadonlyArray<number>
): ReadonlyArray<A> => {
  const pieces: Array<A> = []
  let from = 0
  for (let index = 0; from < whole.length; index++) {
    const length = 1 + (lengths[index % Math.max(1, lengths.length)] ?? 0)
    pieces.push(whole.slice(from, from + length))
    from += length
  }
  return pieces
}

const lengths = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })))

const linesOf = (chunks: ReadonlyArray<Uint8Array>, maxBytes: number) => {
  const lines: Array<string | undefined> = []
  const splitter = Lines.make({
    maxBytes,
    emit: (line) => lines.push(line === undefined ? undefined : new TextDecoder().decode(line))
  })
  for (const chunk of chunks) {
    splitter.push(chunk)
    // Whoever reads may use the bytes again.
    chunk.fill(0x58)
  }
  splitter.end()
  return lines
}

describe("Bytes taken apart into lines", () => {
  const words = Schema.Array(
    Schema.String.check(Schema.isPattern(/^[^\n]*$/), Schema.makeFilter((text) => text.isWellFormed()))
  )

  it.prop("are the same lines, however they arrive", [words, lengths], ([words, lengths]) => {
    const bytes = Text.toBytes(words.map((word) => `${word}\n`).join(""))
    assert.deepStrictEqual(linesOf(cut(bytes, lengths), 1_000_000), [...words])
  })

  it("leave out a line that is too long, and nothing else", () => {
    for (const size of [1, 3, 100]) {
      const chunks = cut(Text.toBytes("one\ntwo hundred\nthree\nfour hundred"), [size - 1])
      assert.deepStrictEqual(linesOf(chunks, 5), ["one", undefined, "three", undefined])
    }
  })
})

interface Found {
  readonly members: { [name: string]: unknown }
  readonly elements: Array<readonly [list: string, unknown]>
  readonly tooLong: Array<string>
  readonly isWhole: boolean
}

const piecesOf = (chunks: ReadonlyArray<string>, maxLength = 1_000_000): Found => {
  const found = { members: {}, elements: [], tooLong: [] } as Pick<Found, "members" | "elements" | "tooLong">
  const splitter = Pieces.make({
    lists: new Set(["messages"]),
    maxLength,
    emit: (piece) => {
      if (piece._tag === "Member") found.members[piece.name] = JSON.parse(piece.text)
      else if (piece._tag === "Element") found.elements.push([piece.list, JSON.parse(piece.text)])
      else found.tooLong.push(piece.name)
    }
  })
  for (const chunk of chunks) splitter.push(chunk)
  return { ...found, isWhole: splitter.isWhole() }
}

describe("A document taken apart", () => {
  const document = Schema.Struct({ before: Schema.Json, messages: Schema.Array(Schema.Json), after: Schema.Json })

  it.prop(
    "is the same members and elements, however it is laid out and arrives",
    [document, lengths],
    ([whole, lengths]) => {
      for (const indent of [0, 2]) {
        const { elements, isWhole, members } = piecesOf(cut(JSON.stringify(whole, null, indent), lengths))
        assert.deepStrictEqual(members, JSON.parse(JSON.stringify({ before: whole.before, after: whole.after })))
        assert.deepStrictEqual(
          elements,
          whole.messages.map((each): readonly [string, unknown] => ["messages", JSON.parse(JSON.stringify(each))])
        )
        assert.isTrue(isWhole)
      }
    }
  )

  it.prop("is its elements, if it is a list", [Schema.Array(Schema.Json), lengths], ([list, lengths]) => {
    const { elements, isWhole } = piecesOf(cut(JSON.stringify(list), lengths))
    assert.deepStrictEqual(
      elements,
      list.map((each): readonly [string, unknown] => ["", JSON.parse(JSON.stringify(each))])
    )
    assert.isTrue(isWhole)
  })

  it("gives what stands before the place where it is cut off, and is not whole", () => {
    const { elements, isWhole } = piecesOf(["{\"a\":1,\"messages\":[{\"x\":\"]}\"},{\"y\":[1"])
    assert.deepStrictEqual(elements, [["messages", { x: "]}" }]])
    assert.isFalse(isWhole)
  })

  it("leaves out an element that is too long, and nothing else", () => {
    const { elements, tooLong } = piecesOf(cut(`{"messages":[1,"${"x".repeat(50)}",3],"b":2}`, [6]), 20)
    assert.deepStrictEqual(elements, [["messages", 1], ["messages", 3]])
    assert.deepStrictEqual(tooLong, ["messages"])
  })

  it("is not whole when something stands after it, as where records are lines", () => {
    assert.isFalse(piecesOf(["{\"a\":1}\n{\"a\":2}\n"]).isWhole)
  })
})

describe("A record", () => {
  it.prop(
    "is what its text says, with what is no Unicode mended",
    [Schema.Record(Schema.String, Schema.Json)],
    ([record]) => {
      const text = JSON.stringify(record)
      const read = Records.parse(text, 1_000)
      assert.isTrue(Result.isSuccess(read))
      if (Result.isFailure(read)) return
      assert.isTrue(Json.isWellFormed(read.success.record))
      assert.strictEqual(read.success.changes.length === 0, Json.isWellFormed(record))
      if (read.success.changes.length === 0) assert.strictEqual(JSON.stringify(read.success.record), text)
    }
  )

  it("may have any depth, and is refused for it", () => {
    const read = Records.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 50)
    assert.deepStrictEqual(read, Result.fail("nested deeper than 50 levels"))
  })
})
