import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array, Effect, Option, Order, Redacted, Result, Schema } from "effect"
import { Hmac, Migration, Session, SessionId, Signer } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { Digest, Kdf, Mac } from "effect/crypto"
import * as NodeFs from "node:fs"
import * as ImportFormat from "../../src/core/ImportFormat.ts"
import * as JsonDocument from "../../src/core/JsonDocument.ts"
import * as Signature from "../../src/core/Signature.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Text from "../../src/core/Text.ts"
import * as Version1 from "../../src/core/Version1.ts"
import * as Version1Signature from "../../src/core/Version1Signature.ts"
import * as Version1Time from "../../src/core/Version1Time.ts"
import * as Golden from "../suites/version1.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("A real file of version 1", () => {
  it.effect("is signed with the key that its machine's secret derives", () =>
    Effect.gen(function*() {
      const { iterations, length, password, salt } = Version1Signature.derivation(Golden.key)
      const { derive } = yield* Kdf.Kdf
      const key = yield* derive(Kdf.pbkdf2({ hash: Digest.sha256, iterations }), password, { salt, length })
      assert.strictEqual(hex(key), Golden.key.hex)
    }).pipe(Effect.provide(Kdf.layerWebCrypto)))

  it("has the application's constant in its key", () => {
    assert.strictEqual(Golden.key.application, Version1Signature.defaultApplication)
  })

  for (const name of Golden.names) {
    it.effect(`verifies from its bytes as stored: ${name}`, () =>
      Effect.gen(function*() {
        const { bytes, mac } = Option.getOrThrow(Version1Signature.split(Golden.bytesOf(name)))
        assert.deepStrictEqual(bytes, Golden.signedBytesOf(name))
        const { start } = yield* Hmac.Hmac
        const running = start(Buffer.from(Golden.key.hex, "hex"))
        running.update(bytes)
        assert.isTrue(Mac.timingSafeEqual(running.digest(), mac))
        assert.strictEqual(Golden.macOf(bytes), Buffer.from(mac).toString("base64"))
      }).pipe(Effect.provide(NodeHmac.layer)))

    it(`is laid out as the files that these tests write: ${name}`, () => {
      const text = Text.fromBytes(Golden.signedBytesOf(name)).pipe(Option.getOrThrow)
      assert.strictEqual(Golden.signText(text), Option.getOrThrow(Text.fromBytes(Golden.bytesOf(name))))
    })

    it(`is told from other kinds of files: ${name}`, () => {
      const bytes = Golden.bytesOf(name)
      const document = Result.getOrThrow(JsonDocument.parseForeign(bytes))
      assert.deepStrictEqual(ImportFormat.detect(bytes, document), Option.some("jido_code"))
    })
  }
})

describe("A kind of file", () => {
  const kindOf = (text: string) => {
    const bytes = Text.toBytes(text)
    return Option.getOrUndefined(
      ImportFormat.detect(bytes, Result.getOrThrow(JsonDocument.parseForeign(bytes)))
    )
  }

  it("is version 1, whatever the layout and the order of its members", () => {
    assert.strictEqual(kindOf(Golden.layOut(Golden.document)), "jido_code")
    assert.strictEqual(kindOf(JSON.stringify(Golden.document)), "jido_code")
    assert.strictEqual(kindOf(JSON.stringify({ name: "n", project_path: "/p", version: 1 })), "jido_code")
  })

  it("is an export where it begins as one", () => {
    assert.strictEqual(kindOf(`{"version":2,"id":"${Golden.id}","epoch":1}`), "reprise")
    assert.strictEqual(kindOf(`{"version":3,"id":"${Golden.id}"}`), "reprise")
  })

  it("is none that is known where neither shows, prototype members included", () => {
    for (const text of ["{}", "{\"version\":1}", "{\"project_path\":\"/p\"}", `{"id":"${Golden.id}"}`]) {
      assert.isUndefined(kindOf(text), text)
    }
  })
})

const parseTime = (text: string) => Option.getOrUndefined(Version1Time.parse(text))

describe("A moment of version 1", () => {
  const accepted: ReadonlyArray<readonly [string, string, boolean?]> = [
    ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01 00:00:00Z", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T02:30:00+02:30", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T02:30:00+0230", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T02:00:00+02", "2024-01-01T00:00:00.000Z"],
    ["2023-12-31T19:00:00-05:00", "2024-01-01T00:00:00.000Z"],
    ["2023-12-31T19:00:00-0500", "2024-01-01T00:00:00.000Z"],
    ["2023-12-31T19:00:00-05", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T23:59:00+23:59", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T00:00:00+00", "2024-01-01T00:00:00.000Z"],
    ["2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.500Z"],
    ["2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.500Z"],
    ["2024-01-01T00:00:00.12Z", "2024-01-01T00:00:00.120Z"],
    ["2024-01-01T00:00:00.123Z", "2024-01-01T00:00:00.123Z"],
    ["2024-01-01T00:00:00.123000Z", "2024-01-01T00:00:00.123Z"],
    ["2024-01-01T00:00:00.123456Z", "2024-01-01T00:00:00.123Z", true],
    ["2024-01-01T00:00:00,999999+00:00", "2024-01-01T00:00:00.999Z", true],
    ["2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000Z", true],
    // That program cuts to six digits itself.
    ["2024-01-01T00:00:00.1230009Z", "2024-01-01T00:00:00.123Z"],
    ["2024-01-01T00:00:00.12345678901234567890Z", "2024-01-01T00:00:00.123Z", true],
    ["+2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z"],
    ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"],
    ["0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000Z"],
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
  ]
  for (const [text, timestamp, isCut = false] of accepted) {
    it(`is read: ${text}`, () => {
      const moment = Option.getOrThrow(Version1Time.parse(text))
      assert.deepStrictEqual({ timestamp: String(moment.timestamp), isCut: moment.isCut }, { timestamp, isCut })
    })
  }

  const refused = [
    "2024-01-01t00:00:00Z",
    "2024-01-01T00:00:00z",
    "2024-01-01T00:00:00-00:00",
    "2024-01-01T00:00:00",
    "2024-01-01T00:00Z",
    "2024-01-01",
    "2024-01-01T00:00:60Z",
    "2016-12-31T23:59:60Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+2400",
    "2024-01-01T00:00:00+24",
    "2024-01-01T00:00:00+01:60",
    "2024-01-01T00:00:00+1",
    "2024-01-01T00:00:00+1:00",
    "12024-01-01T00:00:00Z",
    "+12024-01-01T00:00:00Z",
    "024-01-01T00:00:00Z",
    " 2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00Z ",
    "2024-01-01T00:00:00Z\n",
    "\n2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00,+00:00",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2024-01-01  00:00:00Z",
    "2024-01-01T00:00:00 Z",
    "20240101T000000Z",
    "1704067200",
    "now",
    "",
    // Years that the present form does not have.
    "-0001-01-01T00:00:00Z",
    "-2024-01-01T00:00:00Z",
    "0000-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59.999-00:01"
  ]
  for (const text of refused) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.isUndefined(parseTime(text))
    })
  }

  it("sorts by what it means and not by how it is written, to the microsecond", () => {
    const inOrder = [
      "2024-01-01T01:00:00.000001+01:00",
      "2024-01-01 00:00:00,000002Z",
      "2024-01-01T00:00:00.0001Z",
      "2023-12-31T23:00:00.9-01",
      "2024-01-01T00:00:01Z"
    ]
    const orders = inOrder.map((text) => parseTime(text)?.order ?? "")
    assert.deepStrictEqual(orders, Array.sort(orders, Order.String))
    assert.strictEqual(new Set(orders).size, inOrder.length)
  })

  const offset = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -1439, maximum: 1439 })))
  const millis = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -6e13, maximum: 2.5e14 })))
  it.effect.prop("comes out the same from any offset", { offset, millis }, ({ millis, offset }) =>
    Effect.sync(() => {
      const expected = new Date(millis).toISOString()
      const local = new Date(millis + offset * 60_000).toISOString().slice(0, -1)
      const two = (count: number) => String(count).padStart(2, "0")
      const [hours, minutes] = [two(Math.floor(Math.abs(offset) / 60)), two(Math.abs(offset) % 60)]
      const sign = offset < 0 ? "-" : "+"
      for (const zone of [`${sign}${hours}:${minutes}`, `${sign}${hours}${minutes}`]) {
        assert.strictEqual(parseTime(local + zone)?.timestamp, expected)
      }
    }), { arbitrary: { runs: 200, seed: 4 } })
})

const migrate = (document: { readonly [key: string]: Golden.Json }) =>
  Result.map(Version1.toVersion2(document), ({ changes, document }) => ({
    changes,
    ...Result.getOrThrow(Snapshot.fromDocument(SessionId.make(Golden.id), document))
  }))

const migrated = (document: { readonly [key: string]: Golden.Json }) => Result.getOrThrow(migrate(document))

const t = (seconds: number) => `2024-01-01T00:00:${String(seconds).padStart(2, "0")}Z`

describe("The conversation of version 1", () => {
  const idsOf = (...messages: ReadonlyArray<readonly [string, string]>) => {
    const { changes, state } = migrated(
      Golden.documentWith({ conversation: messages.map(([id, timestamp]) => Golden.message(id, timestamp)) })
    )
    return { ids: state.conversation.map(({ id }) => id).join(), isReported: changes.length > 0, changes }
  }

  it("stays as it is where it is in order", () => {
    assert.deepStrictEqual(idsOf(["1", t(1)], ["2", t(2)], ["3", t(2)], ["4", t(3)]), {
      ids: "1,2,3,4",
      isReported: false,
      changes: []
    })
  })

  it("is put in order after one save reversed it", () => {
    const { changes, ids } = idsOf(["5", t(5)], ["4", t(4)], ["3", t(3)], ["2", t(2)], ["1", t(1)])
    assert.strictEqual(ids, "1,2,3,4,5")
    assert.deepStrictEqual(changes, [{ path: "conversation", change: "put in the order of its timestamps" }])
  })

  it("is put in order after a second save put the last message first", () => {
    assert.strictEqual(idsOf(["5", t(5)], ["1", t(1)], ["2", t(2)], ["3", t(3)], ["4", t(4)]).ids, "1,2,3,4,5")
  })

  it("keeps messages of one moment in order where it was reversed", () => {
    assert.strictEqual(idsOf(["4", t(3)], ["3", t(2)], ["2", t(2)], ["1", t(1)]).ids, "1,2,3,4")
  })

  it("keeps messages of one moment in order where one message came first", () => {
    assert.strictEqual(idsOf(["5", t(5)], ["1", t(1)], ["2", t(2)], ["3", t(2)], ["4", t(3)]).ids, "1,2,3,4,5")
  })

  it("is put in order by microseconds and offsets, and says what it cut", () => {
    const { changes, ids } = idsOf(
      ["2", "2024-01-01T00:00:00.000002Z"],
      ["1", "2024-01-01T05:00:00.000001+05:00"]
    )
    assert.strictEqual(ids, "1,2")
    assert.deepStrictEqual(changes, [
      { path: "conversation", change: "put in the order of its timestamps" },
      { path: "conversation[0].timestamp", change: "cut to milliseconds" },
      { path: "conversation[1].timestamp", change: "cut to milliseconds" }
    ])
  })

  const gaps = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))), {
    maxLength: 12
  })
  it.effect.prop(
    "comes out in order however often that program saved it",
    { gaps, saves: gaps },
    ({ gaps, saves }) =>
      Effect.sync(() => {
        let at = Date.UTC(2024, 0, 1)
        const said = gaps.map((gap, index) => Golden.message(String(index), new Date(at += gap).toISOString()))
        // Each save writes newest first, and each resume takes that for the order.
        let stored = said.slice(0, 1)
        let next = 1
        for (const count of saves) {
          stored = [...stored, ...said.slice(next, next + (count % 3))].toReversed()
          next += count % 3
        }
        const { state } = migrated(Golden.documentWith({ conversation: [...stored, ...said.slice(next)] }))
        assert.deepStrictEqual<unknown>(state.conversation, said)
      }),
    { arbitrary: { runs: 200, seed: 4 } }
  )

  it("keeps further members of messages and todos, prototype keys too, and counts usage", () => {
    const more: { readonly [key: string]: Golden.Json } = Golden.parse(
      "{\"__proto__\":{\"a\":1},\"constructor\":2,\"x\":[]}"
    )
    const { changes, head, state } = migrated(Golden.documentWith({
      conversation: [
        Golden.message("1", t(1), { ...more, usage: { input_tokens: 3, output_tokens: 4, total_cost: 0.5 } }),
        Golden.message("2", t(2), { usage: { input_tokens: 1 } })
      ],
      todos: [{ content: "c", status: "in_progress", active_form: "f", ...more }]
    }))
    assert.deepStrictEqual(changes, [])
    const [first] = state.conversation
    assert.deepStrictEqual(Object.keys(first ?? {}).toSorted(), [
      "__proto__",
      "constructor",
      "content",
      "id",
      "role",
      "timestamp",
      "usage",
      "x"
    ])
    assert.strictEqual(first?.timestamp, "2024-01-01T00:00:01.000Z")
    assert.deepStrictEqual(first?.usage, { inputTokens: 3, outputTokens: 4, totalCost: 0.5 })
    assert.deepStrictEqual(state.conversation[1]?.usage, { inputTokens: 1, outputTokens: 0, totalCost: 0 })
    assert.deepStrictEqual(state.usage, { inputTokens: 4, outputTokens: 4, totalCost: 0.5 })
    assert.deepInclude(Golden.parse(JSON.stringify(state.todos[0])), { constructor: 2, activeForm: "f" })
    assert.deepInclude(head, { messages: 2, todosOpen: 1, todosDone: 0 })
  })
})

describe("What version 2 refuses of a file of version 1", () => {
  const defaults = { provider: "anthropic", model: "claude-3-5-sonnet-20241022", temperature: 0.7, maxTokens: 4096 }
  const replaced = (name: string) => ({ path: `config.${name}`, change: "replaced by the default" })

  it("is the default where the configuration lacks a member, and reported", () => {
    const { changes, state } = migrated(Golden.documentWith({ config: {} }))
    assert.deepStrictEqual(state.session.config, defaults)
    assert.deepStrictEqual(changes, ["provider", "model", "temperature", "max_tokens"].map(replaced))
  })

  const unusable: ReadonlyArray<readonly [string, Golden.Json]> = [
    ["provider", null],
    ["provider", ""],
    ["provider", 1],
    ["provider", "p".repeat(257)],
    ["model", null],
    ["model", ""],
    ["temperature", null],
    ["temperature", -0.1],
    ["temperature", 2.1],
    ["temperature", "0.7"],
    ["max_tokens", null],
    ["max_tokens", 0],
    ["max_tokens", -1],
    ["max_tokens", 1.5],
    ["max_tokens", ""]
  ]
  for (const [name, value] of unusable) {
    it(`is the default where ${name} is ${JSON.stringify(value).slice(0, 20)}, and reported`, () => {
      const { changes, state } = migrated(Golden.documentWith({ config: { ...Golden.document.config, [name]: value } }))
      const key = name === "max_tokens" ? "maxTokens" : name
      assert.deepStrictEqual(state.session.config, {
        provider: "anthropic",
        model: "m",
        temperature: 0.5,
        maxTokens: 100,
        [key]: new Map<string, unknown>(Object.entries(defaults)).get(key)
      })
      assert.deepStrictEqual(changes, [replaced(name)])
    })
  }

  it("is not the rest of the configuration: unknown keys stay, nested, null and prototype keys too", () => {
    const config: { readonly [key: string]: Golden.Json } = Golden.parse(
      "{\"__proto__\":1,\"constructor\":null,\"x\":{\"y\":[1.5]},\"\":\"\"}"
    )
    const { changes, state } = migrated(Golden.documentWith({ config: { ...Golden.document.config, ...config } }))
    assert.deepStrictEqual(changes, [])
    assert.strictEqual(
      JSON.stringify(Object.fromEntries(Object.entries(state.session.config).filter(([key]) => key in config))),
      JSON.stringify(config)
    )
  })

  it("is dropped and reported where an unknown key has the name of a known one of version 2", () => {
    const { changes, state } = migrated(Golden.documentWith({
      config: { ...Golden.document.config, maxTokens: 7 },
      epoch: 9,
      metadata: { a: 1 },
      usage: "x",
      further: { kept: [null] }
    }))
    assert.strictEqual(state.session.config.maxTokens, 100)
    assert.deepStrictEqual(state.extra, { further: { kept: [null] } })
    assert.deepStrictEqual(state.session.metadata, {})
    assert.sameDeepMembers(
      [...changes],
      ["config.maxTokens", "epoch", "metadata", "usage"].map((path) => ({ path, change: "dropped" }))
    )
  })

  const names: ReadonlyArray<readonly [string, string, boolean]> = [
    ["n".repeat(50), "n".repeat(50), false],
    ["n".repeat(51), "n".repeat(50), true],
    ["👩‍👩‍👧‍👦".repeat(50), "👩‍👩‍👧‍👦".repeat(50), false],
    [`${"👩‍👩‍👧‍👦".repeat(50)}x`, "👩‍👩‍👧‍👦".repeat(50), true],
    ["", "session", true],
    [`e${"\u0301".repeat(3000)}`, "session", true]
  ]
  for (const [old, name, isCut] of names) {
    it(`is cut to a name of 50 characters, and reported: ${old.slice(0, 12)}… of ${old.length}`, () => {
      const { changes, state } = migrated(Golden.documentWith({ name: old }))
      assert.strictEqual(state.session.name, name)
      assert.deepStrictEqual(
        changes,
        isCut ? [{ path: "name", change: "cut to a name of 1 to 50 characters" }] : []
      )
    })
  }

  for (const closedAt of [null, 0, 1.5, false, "", "yesterday", "1970", [], {}, { at: t(1) }]) {
    it(`is left out and reported where closed_at is ${JSON.stringify(closedAt)}`, () => {
      const { changes, head } = migrated(Golden.documentWith({ closed_at: closedAt }))
      assert.isFalse("closedAt" in head)
      assert.deepStrictEqual(changes, [{ path: "closed_at", change: "dropped" }])
    })
  }

  it("is no closed_at that is a moment", () => {
    const { changes, head } = migrated(Golden.document)
    assert.strictEqual(head.closedAt, "2024-01-03T00:00:00.000Z")
    assert.deepStrictEqual(changes, [])
  })

  it("is a language of another type than text", () => {
    assert.deepStrictEqual(migrated(Golden.documentWith({ language: "rust" })).state.session.metadata, {
      language: "rust"
    })
    assert.deepStrictEqual(migrated(Golden.documentWith({ language: "" })).state.session.metadata, { language: "" })
    for (const language of [null, 1, ["elixir"]]) {
      const { changes, state } = migrated(Golden.documentWith({ language }))
      assert.deepStrictEqual(state.session.metadata, {})
      assert.deepStrictEqual(changes, [{ path: "language", change: "dropped" }])
    }
  })

  it("is what is no text in the prompt history, which comes out oldest first", () => {
    const prompts = (prompt_history: Golden.Json) => {
      const { changes, state } = migrated(Golden.documentWith({ prompt_history }))
      return { prompts: state.promptHistory, changes }
    }
    assert.deepStrictEqual(prompts(["c", "", "b", "a"]), { prompts: ["a", "b", "", "c"], changes: [] })
    assert.deepStrictEqual(prompts([]), { prompts: [], changes: [] })
    assert.deepStrictEqual(prompts(["c", 1, null, "a", ["b"]]), {
      prompts: ["a", "c"],
      changes: [{ path: "prompt_history", change: "what is no text dropped" }]
    })
    for (const other of ["a", null, 1, { 0: "a" }]) {
      assert.deepStrictEqual(prompts(other), { prompts: [], changes: [{ path: "prompt_history", change: "dropped" }] })
    }
  })

  it("is a usage that is no count", () => {
    const { changes, state } = migrated(Golden.documentWith({
      conversation: [
        Golden.message("1", t(1), { usage: null }),
        Golden.message("2", t(2), { usage: { input_tokens: "7", output_tokens: 1.5, total_cost: -1, cached: 3 } })
      ],
      cumulative_usage: { input_tokens: -1, output_tokens: 8, total_cost: null }
    }))
    assert.isUndefined(state.conversation[0]?.usage)
    assert.deepStrictEqual(state.conversation[1]?.usage, { inputTokens: 0, outputTokens: 0, totalCost: 0 })
    assert.deepStrictEqual(state.usage, { inputTokens: 0, outputTokens: 8, totalCost: 0 })
    assert.sameDeepMembers([...changes], [
      { path: "conversation[0].usage", change: "dropped" },
      { path: "conversation[1].usage.cached", change: "dropped" },
      { path: "conversation[1].usage.input_tokens", change: "replaced by 0" },
      { path: "conversation[1].usage.output_tokens", change: "replaced by 0" },
      { path: "conversation[1].usage.total_cost", change: "replaced by 0" },
      { path: "cumulative_usage.input_tokens", change: "replaced by 0" },
      { path: "cumulative_usage.total_cost", change: "replaced by 0" }
    ])
  })

  it("is an empty message id, and an id in upper case", () => {
    const { changes, state } = migrated(Golden.documentWith({
      id: Golden.id.toUpperCase(),
      conversation: [Golden.message("", t(1))]
    }))
    assert.strictEqual(state.session.id, Golden.id)
    assert.strictEqual(state.conversation[0]?.id, "message-1")
    assert.deepStrictEqual(changes, [
      { path: "id", change: "written in lower case" },
      { path: "conversation[0].id", change: "replaced by a number" }
    ])
  })

  it("never shows what stood there", () => {
    const secret = "what-was-said"
    const { changes } = migrated(Golden.documentWith({
      name: secret.repeat(9),
      closed_at: secret,
      config: { provider: secret.repeat(30), temperature: secret },
      language: [secret],
      prompt_history: [[secret]],
      conversation: [Golden.message("1", t(1), { usage: secret })]
    }))
    assert.isAbove(changes.length, 5)
    assert.notInclude(JSON.stringify(changes), secret)
  })
})

describe("A document of version 1", () => {
  const wrong: ReadonlyArray<readonly [string, { readonly [key: string]: Golden.Json }]> = [
    ...[
      "version",
      "id",
      "name",
      "project_path",
      "config",
      "created_at",
      "updated_at",
      "closed_at",
      "conversation",
      "todos"
    ]
      .map((name) => [name, Golden.documentWithout(name)] as const),
    ["version", Golden.documentWith({ version: "1" })],
    ["id", Golden.documentWith({ id: 7 })],
    ["name", Golden.documentWith({ name: null })],
    ["project_path", Golden.documentWith({ project_path: 1 })],
    ["config", Golden.documentWith({ config: "c" })],
    ["config", Golden.documentWith({ config: [] })],
    ["created_at", Golden.documentWith({ created_at: "x" })],
    ["updated_at", Golden.documentWith({ updated_at: null })],
    ["conversation", Golden.documentWith({ conversation: "[]" })],
    ["conversation[0]", Golden.documentWith({ conversation: ["m"] })],
    [
      "conversation[1].role",
      Golden.documentWith({ conversation: [Golden.message("1", t(1)), Golden.message("2", t(2), { role: "robot" })] })
    ],
    ["conversation[0].content", Golden.documentWith({ conversation: [Golden.message("1", t(1), { content: null })] })],
    [
      "conversation[0].timestamp",
      Golden.documentWith({ conversation: [Golden.message("1", "2024-01-01T00:00:00-00:00")] })
    ],
    ["conversation[0].id", Golden.documentWith({ conversation: [Golden.message("1", t(1), { id: 3 })] })],
    ["todos", Golden.documentWith({ todos: {} })],
    ["todos[0].status", Golden.documentWith({ todos: [{ content: "c", status: "done", active_form: "f" }] })],
    ["todos[0].active_form", Golden.documentWith({ todos: [{ content: "c", status: "pending" }] })]
  ]
  for (const [path, document] of wrong) {
    it(`is refused for ${path}: ${JSON.stringify(document).length} characters`, () => {
      const [first] = Result.getOrThrow(Result.flip(Version1.check(document)))
      assert.strictEqual(first.path, path)
      assert.isTrue(Result.isFailure(Version1.toVersion2(document)))
    })
  }

  const json: Arbitrary.Arbitrary<{ readonly [key: string]: Golden.Json }> = Arbitrary.map(
    Arbitrary.schema(Schema.Record(Schema.String, Schema.Json)),
    (members) => Golden.parse(JSON.stringify(members))
  )
  it.effect.prop("with any further members becomes a document of version 2, and they stay", {
    config: json,
    more: json
  }, ({ config, more }) =>
    Effect.sync(() => {
      const { state } = migrated({ ...more, ...Golden.document, config: { ...config, ...Golden.document.config } })
      assert.isTrue(Schema.is(Session.SessionState)(state))
      for (const [key, value] of Object.entries(more)) {
        if (Object.hasOwn(state.extra, key)) assert.deepStrictEqual(state.extra[key], value)
      }
    }), { arbitrary: { runs: 50, seed: 4 } })
})

describe("A migration", () => {
  const { document } = Result.getOrThrow(Version1.toVersion2(Golden.document))

  it("does nothing to a document of the current version", () => {
    for (const kind of ["document", "head", "event"] as const) {
      assert.deepStrictEqual(
        Result.getOrThrow(Migration.migrate("x", Migration.current, Migration.current.version, document, kind)),
        { document, changes: [] }
      )
    }
  })

  it("names the version that it comes to after each step", () => {
    const seen: Array<unknown> = []
    const step = (from: number) => ({
      from,
      document: (document: { readonly [key: string]: Golden.Json }) => {
        seen.push(document["version"])
        return Result.succeed({ document, changes: [{ path: String(from), change: "seen" }] })
      },
      head: () => Result.fail("no head"),
      event: () => Result.fail("no event")
    })
    const format: Migration.Format = { version: 5, steps: [step(4), step(2), step(3)] }
    const { changes, document: last } = Result.getOrThrow(Migration.migrate("x", format, 2, { version: 2 }))
    assert.deepStrictEqual(seen, [2, 3, 4])
    assert.deepStrictEqual(last, { version: 5 })
    assert.deepStrictEqual(changes.map(({ path }) => path), ["2", "3", "4"])
  })

  it("without a step on its way, or whose step fails, says so with found and supported", () => {
    const format: Migration.Format = { version: 4, steps: [{ ...step(2), document: () => Result.fail("it can't") }] }
    for (const [from, cause] of [[2, "it can't"], [3, "there is no step from version 3"]] as const) {
      const error = Result.getOrThrow(Result.flip(Migration.migrate("x", format, from, { version: from })))
      assert.deepInclude(error, { _tag: "SchemaVersion", id: "x", found: from, supported: 4, cause })
    }
  })

  const step = (from: number) => ({
    from,
    document: (document: { readonly [key: string]: Golden.Json }) => Result.succeed({ document, changes: [] }),
    head: (document: { readonly [key: string]: Golden.Json }) => Result.succeed({ document, changes: [] }),
    event: (document: { readonly [key: string]: Golden.Json }) => Result.succeed({ document, changes: [] })
  })

  it("reads no version that is missing, no whole number, too old or too new", () => {
    for (const version of [undefined, null, "2", 1, 0, -2, 2.5, 3, true, [2]]) {
      const document = version === undefined ? {} : { version }
      const error = Result.getOrThrow(Result.flip(Migration.versionOf("x", Migration.current, document)))
      assert.deepInclude(error, { supported: 2, ...(version === undefined ? {} : { found: version }) })
    }
    assert.deepStrictEqual(Migration.versionOf("x", Migration.current, { version: 2 }), Result.succeed(2))
    assert.deepStrictEqual(Migration.versionOf("x", Migration.current, { version: 1 }, 1), Result.succeed(1))
  })
})

const Vectors = Schema.fromJsonString(Schema.Struct({
  numberOfTests: Schema.Int,
  tests: Schema.Array(Schema.Struct({
    tcId: Schema.Int,
    comment: Schema.String,
    key: Schema.String,
    msg: Schema.String,
    tag: Schema.String,
    result: Schema.Literals(["valid", "invalid"]),
    flags: Schema.Array(Schema.String)
  }))
}))

const vectors = Schema.decodeSync(Vectors)(
  NodeFs.readFileSync(new URL("../fixtures/hmac/hmac-sha256.json", import.meta.url), "utf8")
)

describe("A signature's MAC", () => {
  it("has vectors of both kinds", () => {
    assert.lengthOf(vectors.tests, vectors.numberOfTests)
    assert.sameMembers([...new Set(vectors.tests.map(({ result }) => result))], ["valid", "invalid"])
  })

  it.effect("is what the vectors say, in one piece and byte by byte, and no modified, cut or longer tag fits it", () =>
    Effect.gen(function*() {
      const { start } = yield* Hmac.Hmac
      for (const { comment, key, msg, result, tag, tcId } of vectors.tests) {
        const whole = start(Buffer.from(key, "hex"))
        whole.update(Buffer.from(msg, "hex"))
        const pieces = start(Buffer.from(key, "hex"))
        for (const byte of Buffer.from(msg, "hex")) pieces.update(Uint8Array.of(byte))
        const signature = Signature.make("k", Buffer.from(tag, "hex"))
        for (const running of [whole, pieces]) {
          assert.strictEqual(Signature.matches(running, signature), result === "valid", `${tcId}: ${comment}`)
        }
      }
    }).pipe(Effect.provide(NodeHmac.layer)))

  it("of a wrong length can't even be written down", () => {
    for (const { tag, tcId } of vectors.tests) {
      const { text } = Signature.make("k", Buffer.from(tag, "hex"))
      assert.strictEqual(Option.isSome(Signature.parse(text)), tag.length === 64, String(tcId))
    }
  })

  it("is bound to domain, version, key and session", () => {
    const ring = Effect.runSync(Effect.provide(
      Signer.keyRing([
        { id: "a", secret: Redacted.make(new Uint8Array(32).fill(1)) },
        { id: "b", secret: Redacted.make(new Uint8Array(32).fill(1)) }
      ]),
      NodeHmac.layer
    ))
    const other = SessionId.make("0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f")
    const subjects = (["snapshot", "journal", "export"] as const).flatMap((domain) =>
      [2, 3].flatMap((version) => [SessionId.make(Golden.id), other].map((id) => ({ domain, version, id })))
    )
    const macs = ["a", "b"].flatMap((key) =>
      subjects.map((subject) => hex(Option.getOrThrow(Signature.start(ring, key, subject)).digest()))
    )
    assert.strictEqual(new Set(macs).size, macs.length)
  })
})
