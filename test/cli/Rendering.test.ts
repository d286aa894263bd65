/** What keeps stored text from driving the terminal, and what keeps columns straight. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { CliOutput } from "effect/cli"
import * as Output from "../../src/cli/Output.ts"
import * as Printable from "../../src/cli/Printable.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Style from "../../src/cli/Style.ts"
import * as Table from "../../src/cli/Table.ts"
import * as Words from "../../src/cli/Words.ts"
import { wrap } from "../../src/cli/Wrap.ts"

/** What no terminal may get from a session, told apart without the code under test. */
const acts = (text: string): boolean =>
  Array.from(text).some((character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code <= 0xdfff) ||
      [0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff].includes(code) || (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069)
  })

/** Texts of everything that hurts: controls, escapes, wide and combining characters, halves of pairs. */
const Hostile = Schema.Array(
  Schema.Union([
    Schema.String,
    Schema.Literals([
      "\u001b[31m",
      "\u001b]0;title\u0007",
      "\u009b2J",
      "\r",
      "\n",
      "\r\n",
      "\t",
      "\u202e",
      "\u2066",
      "\u2028",
      "\ufeff",
      "\ud800",
      "\udfff",
      "\u0000",
      "\u007f",
      "日本",
      "e\u0301",
      "👩‍👩‍👧",
      "🇩🇪",
      "ﷺ"
    ])
  ])
)

describe("Printable text", () => {
  it.prop(
    "holds nothing that a terminal acts on, in one line",
    [Hostile],
    ([parts]) => !acts(Printable.line(parts.join(""))),
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "holds nothing that a terminal acts on, in several lines",
    [Hostile],
    ([parts]) => Printable.lines(parts.join("")).every((line) => !acts(line)),
    { arbitrary: { runs: 300 } }
  )

  it.prop("is the same value, as JSON", [Hostile], ([parts]) => {
    const value = { [parts.join("")]: parts }
    const text = Printable.json(JSON.stringify(value))
    assert.deepStrictEqual(JSON.parse(text), value)
    return !acts(text)
  }, { arbitrary: { runs: 300 } })

  it("shows what it took out", () => {
    assert.strictEqual(Printable.line("a\u001b[31mb\u202ec\ud800"), "a\\x1b[31mb\\u202ec\\ud800")
    assert.strictEqual(Printable.line("one\r\ntwo\tthree"), "one two three")
    assert.deepStrictEqual(Printable.lines("one\r\ntwo\n\n\tthree\rfour"), ["one", "two", "", "  three\\x0dfour"])
  })

  it("keeps every other text as it is", () => {
    for (const text of ["plain", "日本語", "e\u0301", "👩‍👩‍👧 🇩🇪", "שלום", "a\u00a0b"]) {
      assert.strictEqual(Printable.line(text), text)
      assert.deepStrictEqual(Printable.lines(text), [text])
    }
  })
})

describe("A width", () => {
  it("is two for wide characters, none for combining ones, and one for a family of emoji counts as two", () => {
    assert.deepStrictEqual(["abc", "日本", "e\u0301", "👩‍👩‍👧", ""].map(Output.width), [3, 4, 1, 2, 0])
  })

  it.prop(
    "is never more than what a text is cut to, and whole where it fits",
    [Hostile, Schema.Int],
    ([parts, seed]) => {
      const text = Printable.line(parts.join(""))
      const cells = Math.abs(seed) % 30
      const cut = Output.truncate(text, cells)
      return Output.width(cut) <= cells && (Output.width(text) > cells || cut === text)
    },
    { arbitrary: { runs: 300 } }
  )
})

describe("Wrapped text", () => {
  it.prop("has no line that is too wide and loses nothing but spaces", [Hostile, Schema.Int], ([parts, seed]) => {
    const text = Printable.line(parts.join(" "))
    const cells = 2 + Math.abs(seed) % 40
    const lines = wrap(text, cells)
    assert.strictEqual(lines.join("").replaceAll(/\s/g, ""), text.replaceAll(/\s/g, ""))
    return lines.every((line) => Output.width(line) <= cells)
  }, { arbitrary: { runs: 300 } })

  it("breaks between words, keeps indentation, and cuts a word that is wider than a line", () => {
    assert.deepStrictEqual(wrap("one two three", 8), ["one two", "three"])
    assert.deepStrictEqual(wrap("    if (x) return", 12), ["    if (x)", "return"])
    assert.deepStrictEqual(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"])
    assert.deepStrictEqual(wrap("日本語です", 4), ["日本", "語で", "す"])
  })
})

describe("A table", () => {
  const columns: ReadonlyArray<Table.Column> = [
    { title: "#", align: "end" },
    { title: "NAME", minimum: 8 },
    { title: "STATE", drop: 1 },
    { title: "PATH", minimum: 6, drop: 2 }
  ]
  const rows = [
    ["1", "plain", "closed", "/home/someone/projects/calculator"],
    ["12", "日本語のとても長い名前のセッション", "interrupted", "/x"],
    ["3", "e\u0301e\u0301", "running", "/日本"]
  ]
  const render = (cells: number) => Table.render({ columns, rows, cells, title: (text) => text })

  it("is as wide as it has to be where there is room", () => {
    assert.deepStrictEqual(render(Infinity), [
      " #  NAME                                STATE        PATH",
      " 1  plain                               closed       /home/someone/projects/calculator",
      "12  日本語のとても長い名前のセッション  interrupted  /x",
      " 3  e\u0301e\u0301                                  running      /日本"
    ])
  })

  it("fits any width from 15 on, with its columns straight", () => {
    for (let cells = 15; cells <= 120; cells++) {
      const lines = render(cells)
      assert.isAtMost(Math.max(...lines.map(Output.width)), cells, `at ${cells}`)
      // Where the second column begins, in cells: the same in every line.
      const starts = lines.map((line) => Output.width(line.slice(0, line.search(/(?<=[#\d] {2})\S/))))
      assert.lengthOf([...new Set(starts)], 1, lines.join("\n"))
    }
  })

  it("leaves out what matters least, and cuts what is widest", () => {
    assert.deepStrictEqual(render(25), [
      " #  NAME      STATE",
      " 1  plain     closed",
      "12  日本語…   interrupted",
      " 3  e\u0301e\u0301        running"
    ])
  })

  it("is measured before it is colored", () => {
    const colored = Table.render({
      columns: [{ title: "A", style: Style.colored.red }, { title: "B" }],
      rows: [["x", "y"]],
      cells: 10,
      title: Style.colored.bold
    })
    assert.strictEqual(CliOutput.displayWidth(colored[1] ?? ""), 4)
    assert.strictEqual(colored[1], "\u001b[31mx\u001b[39m  y")
  })
})

describe("Words", () => {
  const now = Date.UTC(2026, 10, 22, 12)
  const before = (duration: Duration.Input) => Words.ago(now - Duration.toMillis(duration), now)

  it("tell how long ago something was", () => {
    const ages: ReadonlyArray<Duration.Input> = [
      "59 seconds",
      "1 minute",
      "59 minutes",
      "1 hour",
      "23 hours",
      "25 hours",
      "2 days",
      "29 days"
    ]
    assert.deepStrictEqual(
      ages.map(before),
      ["just now", "1 min ago", "59 min ago", "1 hour ago", "23 hours ago", "yesterday", "2 days ago", "29 days ago"]
    )
    assert.match(before("40 days"), /^2026-10-1\d$/)
  })

  it("tell a moment to come as a date", () => {
    assert.strictEqual(before("-30 seconds"), "just now")
    assert.match(before("-1 hour"), /^2026-11-2\d \d\d:\d\d:\d\d$/)
  })

  it("tell sizes and spans", () => {
    assert.deepStrictEqual([0, 1023, 1024, 10 * 1024, 5 * 1024 * 1024, 3 * 1024 ** 3].map(Words.size), [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "10 KiB",
      "5.0 MiB",
      "3.0 GiB"
    ])
    assert.deepStrictEqual([400, 12_000, 180_000].map(Words.span), ["0.4 s", "12 s", "3 min"])
  })

  it("read ages, and nothing else", () => {
    assert.deepStrictEqual(
      ["30d", "2w", "48h", "90m", "3 days"].map((text) => {
        const age = Words.age(text)
        return age === undefined ? undefined : Duration.toHours(age)
      }),
      [720, 336, 48, 1.5, 72]
    )
    for (const text of ["", "30", "d", "-1d", "1.5d", "30y", "999999d"]) assert.isUndefined(Words.age(text), text)
  })
})

describe("Progress", () => {
  it("tells how many, how fast and how long, within the terminal's width", () => {
    const options = { label: "verify", done: 20, total: 100, millis: 2000, name: "Fix\u001b[31m" }
    assert.strictEqual(Progress.line({ ...options, cells: 80 }), "verify 20/100  10/s  8.0 s left  Fix\\x1b[31m")
    assert.isAtMost(Output.width(Progress.line({ ...options, cells: 30 })), 30)
    assert.strictEqual(Progress.line({ ...options, done: 0, millis: 0, name: "", cells: 80 }), "verify 0/100  ")
  })
})
