import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import type { Session } from "effect-reprise"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as StoredMessages from "../../src/core/StoredMessages.ts"
import { at, id, joined, keyRing, nested, publish, rules, signBytes, signText, small, textOf } from "./documents.ts"

/** About 100 KB, and so some pieces. */
const long: Session.SessionState = {
  ...small,
  conversation: Array.from({ length: 400 }, (_, index) => ({
    id: `message ${index}`,
    role: "user",
    content: "é".repeat(80),
    timestamp: at
  }))
}

const written = textOf(publish(long).bytes)
const unsigned = `${written.slice(0, written.indexOf(",\"signature\":"))}}`
const lines = unsigned.split("\n")
const places = { first: 1, "in the middle": 200, last: 400 }

const open = (text: string, tail?: number) =>
  Snapshot.open(keyRing, id, signText(text), { ...rules, ...(tail === undefined ? {} : { tail }) })

/** The document with another line, with and without its newlines: the latter is never read in pieces. */
const withLine = (at: number, line: string) => {
  const text = lines.with(at, at === 400 ? line : `${line},`).join("\n")
  return { asLines: open(text), asOne: open(text.replaceAll("\n", "")) }
}

const lineWith = (member: string) => `{"id":"x","role":"user","content":"x","timestamp":"${at}",${member}}`

const acceptable: Record<string, string> = {
  "with a member of any name": lineWith("\"__proto__\":{\"a\":1}"),
  "that is as deep as may be": lineWith(`"deep":${nested(61)}`),
  "with an escaped pair of surrogates": lineWith("\"e\":\"\\ud83d\\ude00\""),
  "with keys that differ in what is escaped": lineWith("\"e\":{\"a\\\\\":1,\"a\\n\":2}"),
  "with a number of many digits": lineWith("\"n\":0.30000000000000004"),
  "longer than a piece": lineWith(`"long":"${"x".repeat(100_000)}"`),
  "with spaces between its members": lineWith("\"e\" : [ 1 , 2 ] "),
  "with a newline in a list": lineWith("\"list\":[{},\n{}]"),
  "and another behind it": `${lineWith("\"a\":1")},${lineWith("\"a\":2")}`
}

const wrong: Record<string, string> = {
  "that is no JSON": "{\"id\":",
  "that closes the list": "{}],\"more\":[{}",
  "that closes too much": "{}}",
  "that opens a list": "[{}",
  "that is a number": "1",
  "that is nothing": "",
  "of no role": lineWith("\"role\":\"nobody\""),
  "without a member": `{"id":"x","role":"user","timestamp":"${at}"}`,
  "that is one level too deep": lineWith(`"deep":${nested(62)}`),
  "with a lone surrogate": lineWith("\"e\":\"\\ud83d\""),
  "with a number that no double holds": lineWith("\"n\":12345678901234567890"),
  "with a number that is too large": lineWith("\"n\":1e400")
}

describe("A snapshot that is read a piece at a time", () => {
  for (const [place, index] of Object.entries(places)) {
    for (const [name, line] of Object.entries(acceptable)) {
      it(`is the same session with a message ${name}, ${place}`, () => {
        const { asLines, asOne } = withLine(index, line)
        const states = [asLines, asOne].map(Result.map(({ state }) => state))
        assert.deepStrictEqual(states[0], states[1])
        assert.strictEqual(Result.isSuccess(asLines), !name.startsWith("and another"))
      })
    }

    for (const [name, line] of Object.entries(wrong)) {
      it(`is refused for the same reason with a message ${name}, ${place}`, () => {
        const { asLines, asOne } = withLine(index, line)
        const reasons = [asLines, asOne].map(Result.flip).map(
          Result.map(({ message }) => message.replace(/(?<=offset |character )\d+/, "so"))
        )
        assert.isTrue(Result.isFailure(asLines))
        assert.deepStrictEqual(reasons[0], reasons[1])
      })
    }
  }

  it("has its messages as they were written, and is written again with them", () => {
    const text = lines.with(200, `${lineWith("\"e\" : \"\\u0061\"")},`).join("\n")
    const opened = Result.getOrThrow(open(text))
    assert.strictEqual(joined(opened.messages), text.split("\n").slice(1, -1).join("\n"))
    const again = Option.getOrThrow(Snapshot.encode(keyRing, opened.state, opened.messages, { epoch: 1 }))
    assert.deepStrictEqual(Result.getOrThrow(Snapshot.open(keyRing, id, again.bytes, rules)).state, opened.state)
  })

  it("does not take the messages of another member for its own", () => {
    const messages = lines.slice(1, -1).join("\n")
    const inside = `{"version":2,"inside":{"id":"x","conversation":[\n${messages}\n]},${lines[0]?.slice(13)}]`
    const rest = lines.at(-1)?.slice(1) ?? ""
    assert.isTrue(Result.isFailure(open(`${inside}${rest}`)))
    assert.isTrue(Result.isFailure(open(`${inside}${rest}`, 3)))
  })
})

describe("A snapshot of which the last messages are read", () => {
  for (const tail of [0, 1, 399, 400, 401]) {
    it(`has ${Math.min(tail, 400)} of 400 for ${tail}, and counts the others`, () => {
      const { earlier, messages, state } = Result.getOrThrow(open(unsigned, tail))
      const from = Math.max(0, 400 - tail)
      assert.deepStrictEqual(state.conversation, long.conversation.slice(from))
      assert.strictEqual(earlier.count, from)
      assert.strictEqual(joined(messages), lines.slice(1, -1).join("\n"))
      assert.deepStrictEqual(
        StoredMessages.parseEarlier(id, earlier, rules.maxDepth),
        Result.succeed(long.conversation.slice(0, from))
      )
    })
  }

  it("is read whole where its last messages can't be found, and refused where they are wrong", () => {
    const joinedLines = open(unsigned.replaceAll("\n", ""), 1)
    assert.deepStrictEqual(Result.map(joinedLines, ({ earlier }) => earlier.count), Result.succeed(0))
    for (const line of Object.values(wrong)) {
      assert.isTrue(Result.isFailure(open(lines.with(400, line).join("\n"), 1)))
    }
  })

  it("tells of an earlier message that is wrong when that is asked for, by its place", () => {
    const text = lines.with(200, `${lineWith("\"usage\":1")},`).join("\n")
    const { earlier } = Result.getOrThrow(open(text, 1))
    const refused = Result.flip(StoredMessages.parseEarlier(id, earlier, rules.maxDepth))
    assert.include(Result.getOrThrow(refused).message, "[199].usage")
  })

  for (const [name, count] of Object.entries({ fewer: 2, more: 1000 })) {
    it(`does not believe a head that counts ${name} messages than there are`, () => {
      const text = unsigned.replace("\"messages\":400", `"messages":${count}`)
      const opened = open(text, 3)
      const reasonOf = Result.match({
        onFailure: ({ message }: { readonly message: string }) => message,
        onSuccess: ({ earlier }: Snapshot.Opened) =>
          Result.match(StoredMessages.parseEarlier(id, earlier, rules.maxDepth), {
            onFailure: ({ message }) => message,
            onSuccess: () => "believed"
          })
      })
      assert.include(reasonOf(opened), "messages is not")
    })
  }

  it("is refused where a byte of an earlier message was changed", () => {
    const bytes = signBytes(new TextEncoder().encode(unsigned.slice(0, -1)))
    bytes[bytes.indexOf(0x0a) + 20] = 0x78
    const error = Result.getOrThrow(Result.flip(Snapshot.open(keyRing, id, bytes, { ...rules, tail: 1 })))
    assert.strictEqual(error._tag === "InvalidJson" && error.reason._tag, "BadSignature")
  })
})
