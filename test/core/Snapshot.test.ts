import { describe, it } from "@effect/vitest"
import {
  assertFailure,
  assertInclude,
  assertNone,
  assertSome,
  assertSuccess,
  assertTrue,
  deepStrictEqual,
  strictEqual
} from "@effect/vitest/utils"
import { Option, Result, Schema } from "effect"
import { type Session, SessionError } from "effect-reprise"
import * as Head from "../../src/core/Head.ts"
import * as Signature from "../../src/core/Signature.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Text from "../../src/core/Text.ts"
import {
  at,
  changed,
  document,
  documentWith,
  encodeMessages,
  flipped,
  id,
  joined,
  keyRing,
  keyRingOf,
  later,
  lostKey,
  nested,
  otherId,
  publish,
  rules,
  sign,
  signBytes,
  signText,
  small,
  states,
  strangers,
  textOf
} from "./documents.ts"

const {
  BadSignature,
  IdMismatch,
  InvalidJson,
  NotUtf8,
  SchemaVersion,
  Shape,
  Syntax,
  UnknownKey,
  Unsigned
} = SessionError

const open = (bytes: Uint8Array, depth = rules.maxDepth) =>
  Snapshot.open(keyRing, id, bytes, { ...rules, maxDepth: depth })

const opened = (bytes: Uint8Array, depth = rules.maxDepth): Snapshot.Opened => Result.getOrThrow(open(bytes, depth))

const refused = (bytes: Uint8Array, reason: SessionError.InvalidJson["reason"], depth = rules.maxDepth): void =>
  assertFailure(open(bytes, depth), new InvalidJson({ id, reason }))

const unsignedText = (document: Schema.Json): Uint8Array => Text.toBytes(JSON.stringify(document))

/** The tag that says why bytes are refused. */
const tagOf = (bytes: Uint8Array): string =>
  Result.match(open(bytes), {
    onSuccess: () => "accepted",
    onFailure: (error) => error._tag === "InvalidJson" ? error.reason._tag : error._tag
  })

/** A place in something, from its beginning to its end. */
const Unit = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999999 }))

const smallBytes = publish(small).bytes
const smallSignature = publish(small).signature
const tailStart = smallBytes.length - `,"signature":"${smallSignature}"}`.length

describe("Snapshot.encode", () => {
  it.prop(
    "encodes any session so that opening it gives the same session, messages and signature back",
    [states],
    ([state]) => {
      const messages = encodeMessages(state)
      const publication = { epoch: 3, closedAt: later }
      const { bytes, signature } = Option.getOrThrow(Snapshot.encode(keyRing, state, messages, publication))
      const found = Result.getOrThrow(Snapshot.open(keyRing, state.session.id, bytes, rules))
      deepStrictEqual(found.state, state)
      strictEqual(joined(found.messages), joined(messages))
      strictEqual(found.signature, signature)
      strictEqual(found.head.epoch, 3)
      strictEqual(found.head.closedAt, later)
      assertSome(Head.signatureAtEnd(bytes), signature)
    },
    { arbitrary: { runs: 100, seed: 1 } }
  )

  it.prop("encodes what it opened to the same bytes", [states], ([state]) => {
    const { bytes } = publish(state)
    const found = Result.getOrThrow(Snapshot.open(keyRing, state.session.id, bytes, rules))
    const again = Option.getOrThrow(Snapshot.encode(keyRing, found.state, found.messages, { epoch: 1 }))
    strictEqual(textOf(again.bytes), textOf(bytes))
  }, { arbitrary: { runs: 60, seed: 2 } })

  it("writes any Unicode text so that it comes back", () => {
    const text =
      "\u0000\u0001\b\t\n\f\r\u001f \"\\/ \u007f\u0085\u00a0\u2028\u2029\ufeff\ufffd\uffff é e\u0301 שלום 漢字 👨‍👩‍👧‍👦 𝒳 \u{10ffff}"
    const state: Session.SessionState = {
      ...small,
      session: { ...small.session, name: "\u0000👨‍👩‍👧‍👦\u2028", projectPath: `/${text}`, metadata: { [text]: text } },
      conversation: [{ id: text, role: "user", content: text, timestamp: at, [text]: text }],
      todos: [{ content: text, status: "in_progress", activeForm: text }],
      promptHistory: [text, "", text]
    }
    deepStrictEqual(opened(publish(state).bytes).state, state)
  })

  it("keeps every role and every kind of part without loss", () => {
    const parts: ReadonlyArray<Session.Part> = [
      { type: "text", text: "", options: { a: [1, null] } },
      { type: "reasoning", text: "because" },
      { type: "file", mediaType: "image/png", data: "iVBORw0KGgo=", fileName: "a.png" },
      { type: "tool-call", id: "c", name: "run", params: { deep: [{ er: [true] }] }, providerExecuted: false },
      { type: "tool-result", id: "c", name: "run", isFailure: true, result: null },
      { type: "tool-approval-request", approvalId: "a", toolCallId: "c" },
      { type: "tool-approval-response", approvalId: "a", approved: true, reason: "fine" }
    ]
    const roles: ReadonlyArray<Session.Role> = ["user", "assistant", "system", "tool"]
    const state: Session.SessionState = {
      ...small,
      conversation: roles.flatMap((role): ReadonlyArray<Session.Message> => [
        { id: `${role} text`, role, content: "text", timestamp: at },
        { id: `${role} parts`, role, content: parts, timestamp: at },
        { id: `${role} nothing`, role, content: [], timestamp: at }
      ])
    }
    deepStrictEqual(opened(publish(state).bytes).state, state)
  })

  it("keeps a conversation of thousands of messages in its order", () => {
    const state: Session.SessionState = {
      ...small,
      conversation: Array.from({ length: 3000 }, (_, index) => ({
        id: String(index),
        role: index % 2 === 0 ? "user" : "assistant",
        content: `message ${index}`,
        timestamp: at
      })),
      todos: Array.from({ length: 500 }, (_, index) => ({ content: `${index}`, status: "pending", activeForm: "" })),
      promptHistory: Array.from({ length: 500 }, (_, index) => `prompt ${index}`)
    }
    const found = opened(publish(state).bytes)
    deepStrictEqual(found.state, state)
    strictEqual(found.head.messages, 3000)
    strictEqual(found.head.todosOpen, 500)
  })

  it("writes an empty session as one whose lists are empty", () => {
    const state: Session.SessionState = { ...small, conversation: [], todos: [], promptHistory: [], extra: {} }
    const found = opened(publish(state).bytes)
    deepStrictEqual(found.state, state)
    deepStrictEqual(found.messages, [])
  })

  it("writes a head line and then a line for each message, as JSON that any tool reads", () => {
    const lines = textOf(smallBytes).split("\n")
    strictEqual(lines.length, 4)
    strictEqual(lines[1], `${JSON.stringify(small.conversation[0])},`)
    strictEqual(lines[2], JSON.stringify(small.conversation[1]))
    deepStrictEqual(JSON.parse(textOf(smallBytes)), { ...document, signature: smallSignature })
  })

  it("leaves closedAt out of an open session", () => {
    strictEqual(Object.hasOwn(opened(smallBytes).head, "closedAt"), false)
  })

  it("never signs two publications of one state alike", () => {
    const signatures = [1, 2, 3].map((epoch) => publish(small, { epoch }).signature)
    strictEqual(new Set(signatures).size, 3)
  })

  it("gives nothing without the key that signs", () => {
    assertNone(Snapshot.encode(lostKey, small, encodeMessages(small), { epoch: 1 }))
  })

  it("signs with the newest key, and older ones still open", () => {
    const before = publish(small, { epoch: 1 }, keyRingOf("first"))
    const rotated = keyRingOf("second", "first")
    assertTrue(Result.isSuccess(Snapshot.open(rotated, id, before.bytes, rules)))
    assertInclude(publish(small, { epoch: 1 }, rotated).signature, "hs256.second.")
    assertFailure(
      Snapshot.open(keyRingOf("second"), id, before.bytes, rules),
      new InvalidJson({ id, reason: new UnknownKey({ keyId: "first" }) })
    )
  })
})

describe("Snapshot.open keeps what it does not know", () => {
  it("keeps unknown members of document, config, message, part and todo through open and encode", () => {
    const unknown: Schema.Json = { future: [1, { of: null }] }
    const places: ReadonlyArray<ReadonlyArray<string | number>> = [
      ["future"],
      ["config", "future"],
      ["conversation", 0, "future"],
      ["conversation", 1, "content", 0, "future"],
      ["todos", 0, "future"],
      ["metadata", "future"]
    ]
    const extended = places.reduce<Schema.Json>((json, path) => changed(json, path, () => unknown), document)
    const found = opened(signText(JSON.stringify(extended)))
    deepStrictEqual(found.state.extra, { future: unknown })
    const { bytes, signature } = Option.getOrThrow(
      Snapshot.encode(keyRing, found.state, found.messages, { epoch: 1 })
    )
    deepStrictEqual<unknown>(JSON.parse(textOf(bytes)), changed(extended, ["signature"], () => signature))
  })

  it("returns messages byte for byte, however they were written", () => {
    const messages = [
      `{ "id":"1", "role":"user", "content":"\\u0061\\/\\ud83d\\ude00", "timestamp":"${at}", "10":1, "2":2 }`,
      `{"timestamp":"${at}","content":"b","role":"assistant","id":"2"}`
    ]
    const text = [
      JSON.stringify(document).replace(/"conversation":.*$/, "\"conversation\":["),
      messages.join(",\n"),
      `],"todos":[],"promptHistory":[],"usage":${JSON.stringify(small.usage)},"metadata":{}}`
    ].join("\n").replace("\"todosOpen\":1,\"todosDone\":1", "\"todosOpen\":0,\"todosDone\":0")
    const found = opened(signText(text))
    strictEqual(joined(found.messages), messages.join(",\n"))
    strictEqual(found.state.conversation[0]?.content, "a/😀")
    const again = Option.getOrThrow(Snapshot.encode(keyRing, found.state, found.messages, { epoch: 1 }))
    strictEqual(joined(opened(again.bytes).messages), messages.join(",\n"))
  })

  it("encodes messages again where they do not stand on lines of their own", () => {
    const layouts = [
      JSON.stringify(document),
      JSON.stringify(document, undefined, 2),
      JSON.stringify(document).replaceAll("},{", "}\n,\n{"),
      JSON.stringify(document).replace("\"conversation\":[", "\n\"conversation\":[\n")
    ]
    for (const text of layouts) {
      strictEqual(joined(opened(signText(text)).messages), joined(encodeMessages(small)))
    }
  })

  it("does not take lines of other lists for messages", () => {
    const { todos, ...others } = document
    const text = JSON.stringify({ ...others, todos }).replace(
      `"todos":${JSON.stringify(todos)}`,
      `"todos":[\n${small.todos.map((todo) => JSON.stringify(todo)).join(",\n")}\n]`
    )
    strictEqual(joined(opened(signText(text)).messages), joined(encodeMessages(small)))
  })

  it("takes prototype keys for members like any other", () => {
    const keys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]
    const strange = `{${keys.map((key) => `"${key}":{"polluted":true}`).join(",")}}`
    const members = strange.slice(1, -1)
    const text = JSON.stringify(document)
      .replace("\"config\":{", `${members},"config":{${members},`)
      .replace("\"conversation\":[{", `"conversation":[{${members},`)
      .replace("\"metadata\":{", `"metadata":{${members},`)
    const found = opened(signText(text))
    for (const holder of [found.state.extra, found.state.session.config, found.state.session.metadata]) {
      for (const key of keys) {
        deepStrictEqual(Object.getOwnPropertyDescriptor(holder, key)?.value, { polluted: true })
      }
      strictEqual(Object.getPrototypeOf(holder), Object.prototype)
    }
    strictEqual("polluted" in {}, false)
    const again = Option.getOrThrow(Snapshot.encode(keyRing, found.state, found.messages, { epoch: 1 }))
    deepStrictEqual(opened(again.bytes).state, found.state)
    strictEqual(textOf(again.bytes).split("\"__proto__\"").length, 5)
  })

  it("does not take a version or a member from a prototype key", () => {
    const { name: _, ...nameless } = document
    const text = JSON.stringify(nameless).replace("{", "{\"__proto__\":{\"name\":\"inherited\"},")
    refused(signText(text), new Shape({ path: "name", expected: "present" }))
    const { version: __, ...versionless } = document
    assertFailure(
      open(signText(JSON.stringify(versionless).replace("{", "{\"__proto__\":{\"version\":2},"))),
      new SchemaVersion({ id, supported: 2 })
    )
  })
})

describe("Snapshot.open refuses what is not a document", () => {
  it("refuses no bytes at all at offset 0", () => {
    refused(new Uint8Array(0), new Syntax({ offset: 0 }))
  })

  it("refuses a file that is cut at any byte, and names the end as the place", () => {
    const text = `{"version":2,"a":[true,false,null,-12.5e+3,0],"b":"é\\u00e9\\n👋","c":{}}`
    const bytes = signText(text)
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      const prefix = Text.fromBytes(cut)
      refused(cut, Option.isNone(prefix) ? new NotUtf8({}) : new Syntax({ offset: prefix.value.length }))
    }
  })

  it("refuses the stored file cut at any byte", () => {
    for (let length = 0; length < smallBytes.length; length++) {
      const tag = tagOf(smallBytes.subarray(0, length))
      assertTrue(tag === "Syntax" || tag === "NotUtf8", `${length}: ${tag}`)
    }
  })

  it("refuses bytes after the signature", () => {
    for (const more of ["\n", " ", "}", "\0", "{}"]) {
      const bytes = Text.concat([smallBytes, Text.toBytes(more)])
      const end = textOf(smallBytes).length
      refused(bytes, more.trim() === "" ? new Unsigned({}) : new Syntax({ offset: end }))
    }
  })

  it("refuses a file of zeros", () => {
    refused(new Uint8Array(smallBytes.length), new Syntax({ offset: 0 }))
  })

  it("refuses text that is not JSON at the offset of the mistake", () => {
    refused(Text.toBytes("version: 2"), new Syntax({ offset: 0 }))
    refused(Text.toBytes("{\"version\":2,}"), new Syntax({ offset: 13 }))
    refused(Text.toBytes("{\"👋\":2,\"version\" 2}"), new Syntax({ offset: 18 }))
    refused(signText("{\"version\":2,\"id\":\"6f\",,}"), new Syntax({ offset: 23 }))
  })

  it("refuses JSON that is not an object", () => {
    for (const text of ["[]", "[1]", "3", "\"text\"", "null", "true", " [] "]) {
      refused(Text.toBytes(text), new Shape({ path: "", expected: "an object" }))
    }
  })

  it("refuses a byte order mark, signed or not", () => {
    const mark = new Uint8Array([0xef, 0xbb, 0xbf])
    refused(Text.concat([mark, unsignedText(document)]), new NotUtf8({}))
    refused(Text.concat([mark, smallBytes]), new BadSignature({}))
    refused(
      signBytes(Text.concat([mark, smallBytes.subarray(0, tailStart)])),
      new NotUtf8({})
    )
  })

  it("refuses invalid UTF-8, signed or not", () => {
    const invalid: ReadonlyArray<ReadonlyArray<number>> = [
      [0xff],
      [0xc0, 0xaf],
      [0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0x80]
    ]
    const [before = "", after = ""] = JSON.stringify(document).slice(0, -1).split("small")
    for (const bytes of invalid) {
      const body = Text.concat([Text.toBytes(before), new Uint8Array(bytes), Text.toBytes(after)])
      refused(signBytes(body), new NotUtf8({}))
      refused(Text.concat([body, Text.toBytes("}")]), new NotUtf8({}))
    }
  })

  it("refuses UTF-16", () => {
    const text = JSON.stringify(document)
    const utf16 = new Uint8Array(text.length * 2 + 2)
    utf16.set([0xff, 0xfe])
    for (let index = 0; index < text.length; index++) utf16[2 * index + 2] = text.charCodeAt(index)
    refused(utf16, new NotUtf8({}))
  })

  it("refuses lone surrogates that hide in escapes", () => {
    const lone = ["\\ud800", "\\uD83D", "\\udc00", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\udbff\\\\udc00"]
    const reason = new Shape({ path: "", expected: "free of lone surrogates" })
    const text = JSON.stringify(document)
    for (const escape of lone) {
      refused(signText(text.replace("\"name\":\"small\"", `"name":"${escape}"`)), reason)
      refused(signText(text.replace("\"draft\":true", `"${escape}":true`)), reason)
      refused(signText(text.replace("\"go\"", `"${escape}"`)), reason)
    }
  })

  it("accepts surrogate pairs in escapes, and escaped backslashes before what looks like one", () => {
    const text = JSON.stringify(document).replace("\"go\"", "\"\\ud83d\\ude00\",\"\\uD83D\\uDE00\",\"\\\\ud83d\"")
    deepStrictEqual(opened(signText(text)).state.promptHistory, ["😀", "😀", "\\ud83d"])
  })

  it("accepts nesting up to the limit and refuses one level more", () => {
    const withLevels = (levels: number) =>
      signText(JSON.stringify(document).replace("\"draft\":true", `"draft":${nested(levels)}`))
    assertTrue(Result.isSuccess(open(withLevels(rules.maxDepth - 2))))
    refused(withLevels(rules.maxDepth - 1), new Shape({ path: "", expected: "at most 64 levels deep" }))
    refused(withLevels(4), new Shape({ path: "", expected: "at most 5 levels deep" }), 5)
    assertTrue(Result.isSuccess(open(withLevels(3), 5)))
  })

  it("refuses unsigned nesting without end, also beside an escaped surrogate pair", () => {
    const levels = 200_000
    refused(Text.toBytes(`{"a":${nested(levels)}}`), new Unsigned({}))
    const tag = tagOf(Text.toBytes(`{"e":"\\ud83d\\ude00","a":${nested(levels)}}`))
    assertTrue(tag === "Unsigned" || tag === "Shape", tag)
    refused(Text.toBytes("[".repeat(levels)), new Syntax({ offset: levels }))
  })

  it("refuses signed nesting without end, also beside an escaped surrogate pair", () => {
    const reason = new Shape({ path: "", expected: "at most 64 levels deep" })
    refused(signText(`{"version":2,"a":${nested(200_000)}}`), reason)
    refused(signText(`{"version":2,"e":"\\ud83d\\ude00","a":${nested(200_000)}}`), reason)
  })
})

describe("Snapshot.open refuses documents of another shape", () => {
  const required: ReadonlyArray<ReadonlyArray<string | number>> = [
    ...["id", "epoch", "revision", "name", "projectPath", "createdAt", "updatedAt"].map((key) => [key]),
    ...["messages", "todosOpen", "todosDone", "config", "conversation", "todos", "promptHistory"].map((key) => [key]),
    ["usage"],
    ["metadata"],
    ...["provider", "model", "temperature", "maxTokens"].map((key) => ["config", key]),
    ...["id", "role", "content", "timestamp"].map((key) => ["conversation", 1, key]),
    ...["inputTokens", "outputTokens", "totalCost"].map((key) => ["conversation", 1, "usage", key]),
    ["conversation", 1, "content", 0, "text"],
    ...["content", "status", "activeForm"].map((key) => ["todos", 0, key]),
    ...["inputTokens", "outputTokens", "totalCost"].map((key) => ["usage", key])
  ]

  const formatted = (path: ReadonlyArray<string | number>): string =>
    path.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join("").slice(1)

  for (const path of required) {
    it(`refuses a signed document without ${formatted(path)}`, () => {
      refused(sign(documentWith(path, undefined)), new Shape({ path: formatted(path), expected: "present" }))
    })
  }

  const wrong: ReadonlyArray<readonly [ReadonlyArray<string | number>, ReadonlyArray<Schema.Json>]> = [
    [["epoch"], [0, -1, 1.5, "1", null]],
    [["revision"], [-1, 0.5, "4", null, 2 ** 53]],
    [["name"], ["", "x".repeat(51), 5, null, ["small"]]],
    [["projectPath"], ["", 7, null, "x".repeat(4097)]],
    [["createdAt"], ["2026-01-31", "2026-02-30T00:00:00.000Z", "2026-01-31T09:30:00Z", 0, null, ""]],
    [["updatedAt"], ["2026-01-31T09:30:00.000+01:00", "2026-13-01T00:00:00.000Z", " 2026-01-31T09:30:00.000Z", {}]],
    [["closedAt"], ["yesterday", null, "2025-02-29T00:00:00.000Z"]],
    [["messages"], [-1, "2", null]],
    [["config"], [null, [], "model"]],
    [["config", "provider"], ["", 1, "x".repeat(257)]],
    [["config", "temperature"], [-0.1, 2.1, "0.5", null]],
    [["config", "maxTokens"], [0, -1, 1.5, "1000", null]],
    [["conversation"], [null, {}, "text"]],
    [["conversation", 0], [null, [], "text"]],
    [["conversation", 0, "id"], ["", 1, null]],
    [["conversation", 0, "role"], ["User", "developer", "", 1, null, "user "]],
    [["conversation", 0, "content"], [null, 1, {}]],
    [["conversation", 0, "timestamp"], ["now", "2026-01-31T24:00:00.000Z", null, 1]],
    [["conversation", 1, "usage", "inputTokens"], [-1, 0.5, "1"]],
    [["conversation", 1, "content", 0], [null, "text", { type: "image" }, {}]],
    [["todos"], [null, {}]],
    [["todos", 0, "status"], ["done", "", "Pending", 1, null]],
    [["todos", 0, "content"], [null, 1]],
    [["promptHistory"], [null, "go", {}]],
    [["promptHistory", 0], [null, 1, {}]],
    [["usage"], [null, []]],
    [["usage", "totalCost"], [-1, "0", null]],
    [["metadata"], [null, [], "text", 1]]
  ]

  for (const [path, values] of wrong) {
    for (const value of values) {
      const shown = JSON.stringify(value)
      it(`refuses a signed document whose ${formatted(path)} is ${shown.slice(0, 40)}`, () => {
        const result = open(sign(documentWith(path, value)))
        assertTrue(Result.isFailure(result))
        assertTrue(result.failure._tag === "InvalidJson")
        const { reason } = result.failure
        assertTrue(reason._tag === "Shape", reason._tag)
        strictEqual(reason.path, formatted(path))
      })
    }
  }

  it("refuses a head that counts otherwise than the lists", () => {
    for (const [path, expected] of [["messages", 2], ["todosOpen", 1], ["todosDone", 1]] as const) {
      for (const wrong of [expected - 1, expected + 1]) {
        refused(sign(documentWith([path], wrong)), new Shape({ path, expected: `${expected}, as counted` }))
      }
    }
  })

  it("never shows values in the message of a refusal", () => {
    const secret = "S3CRET"
    const places: ReadonlyArray<ReadonlyArray<string | number>> = [
      ...required,
      ["conversation", 0],
      ["todos", 0],
      ["version"],
      ["closedAt"]
    ]
    let refusals = 0
    for (const path of places) {
      for (const value of [secret, [secret], { [secret]: secret }]) {
        const result = open(sign(documentWith(path, value)))
        if (Result.isSuccess(result)) continue
        refusals++
        assertTrue(!result.failure.message.includes(secret), result.failure.message)
      }
    }
    assertTrue(refusals > 2 * places.length, String(refusals))
  })
})

describe("Snapshot.open tells versions apart", () => {
  const withVersion = (version: Schema.Json | undefined) => documentWith(["version"], version)

  it("refuses signed documents of a version that it does not read, and says which it found", () => {
    for (const found of [0, 1] as const) {
      assertFailure(
        open(sign(withVersion(found), { version: found })),
        new SchemaVersion({ id, supported: 2, found })
      )
    }
    for (const found of [-1, 1.5, 2.5, "2", null, [2], true, -0.5]) {
      assertFailure(open(sign(withVersion(found))), new SchemaVersion({ id, supported: 2, found }))
    }
  })

  it("refuses a signed document without a version", () => {
    assertFailure(open(sign(withVersion(undefined))), new SchemaVersion({ id, supported: 2 }))
  })

  it("refuses a newer document as newer, whether its signature can be verified or not", () => {
    const expected = new SchemaVersion({ id, supported: 2, found: 99 })
    assertFailure(open(sign(withVersion(99), { version: 99 })), expected)
    assertFailure(open(sign(withVersion(99))), expected)
    assertFailure(open(sign(withVersion(99), { keyRing: strangers })), expected)
    assertFailure(open(unsignedText(withVersion(99))), expected)
    assertFailure(open(unsignedText({ ...withVersion(99), signature: { algorithm: "ed25519" } })), expected)
    assertFailure(open(unsignedText({ ...withVersion(99), signature: "ed25519.x.y" })), expected)
  })

  it("believes no unsigned document, whatever other version it says", () => {
    for (const version of [0, 1, 2, -1, 1.5, 2.5, "2", "99", null, undefined]) {
      refused(unsignedText(withVersion(version)), new Unsigned({}))
    }
  })

  it("does not believe a version that was changed after signing", () => {
    refused(Text.toBytes(textOf(smallBytes).replace("\"version\":2", "\"version\":1")), new BadSignature({}))
    refused(Text.toBytes(textOf(smallBytes).replace("\"version\":2", "\"version\":02")), new BadSignature({}))
  })
})

describe("Snapshot.open believes nothing unverified", () => {
  const body = textOf(smallBytes.subarray(0, tailStart))
  const ending = (text: string): Uint8Array => Text.toBytes(body + text)

  it("refuses a document without a signature, or with one that is not a text", () => {
    refused(ending("}"), new Unsigned({}))
    refused(ending(",\"signature\":null}"), new Unsigned({}))
    refused(ending(",\"signature\":12345}"), new Unsigned({}))
    refused(ending(`,"signature":["${smallSignature}"]}`), new Unsigned({}))
    refused(ending(`,"Signature":"${smallSignature}"}`), new Unsigned({}))
  })

  it("refuses a signature that is not the last member, or written in another way", () => {
    refused(ending(`,"signature":"${smallSignature}","x":1}`), new Unsigned({}))
    refused(ending(`, "signature":"${smallSignature}"}`), new Unsigned({}))
    refused(ending(`,"signature": "${smallSignature}"}`), new Unsigned({}))
    refused(ending(`,"signature":"${smallSignature}" }`), new Unsigned({}))
  })

  it("refuses a second signature", () => {
    refused(ending(`,"signature":"${smallSignature}","signature":"${smallSignature}"}`), new BadSignature({}))
    refused(ending(`,"signature":null,"signature":"${smallSignature}"}`), new BadSignature({}))
  })

  it("refuses a signature that is empty, of another algorithm or of another length", () => {
    const [, keyId = "", mac = ""] = smallSignature.split(".")
    for (
      const signature of [
        "",
        mac,
        `none.${keyId}.`,
        `hs512.${keyId}.${mac}`,
        `HS256.${keyId}.${mac}`,
        `hs256.${keyId}.${mac.slice(1)}`,
        `hs256.${keyId}.${mac}=`,
        `hs256..${mac}`,
        `hs256.${keyId}.${mac.slice(0, -1)}!`
      ]
    ) {
      refused(ending(`,"signature":"${signature}"}`), new BadSignature({}))
    }
  })

  it("refuses a signature of zeros, and one whose last character only differs in unused bits", () => {
    const [, keyId = "", mac = ""] = smallSignature.split(".")
    refused(ending(`,"signature":"hs256.${keyId}.${"A".repeat(43)}"}`), new BadSignature({}))
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    const last = alphabet.indexOf(mac.slice(-1))
    for (const change of [1, 2, 3]) {
      refused(
        ending(`,"signature":"hs256.${keyId}.${mac.slice(0, -1)}${alphabet[last ^ change] ?? ""}"}`),
        new BadSignature({})
      )
    }
  })

  it("refuses the signature of another file of the same session", () => {
    const older = publish(small, { epoch: 2 }).signature
    refused(ending(`,"signature":"${older}"}`), new BadSignature({}))
  })

  it("refuses a journal's signature over the same bytes", () => {
    const mac = Option.getOrThrow(Signature.start(keyRing, keyRing.current, { domain: "journal", version: 2, id }))
    mac.update(smallBytes.subarray(0, tailStart))
    refused(ending(`,"signature":"${Signature.make("first", mac.digest()).text}"}`), new BadSignature({}))
  })

  it("refuses a key that is not in the key ring, and names it", () => {
    refused(publish(small, { epoch: 1 }, strangers).bytes, new UnknownKey({ keyId: "strange" }))
    refused(
      ending(`,"signature":"${smallSignature.replace("first", "__proto__")}"}`),
      new UnknownKey({
        keyId: "__proto__"
      })
    )
  })

  it("refuses what one key of the ring signed in the name of another", () => {
    const ring = keyRingOf("second", "first")
    const bytes = Text.toBytes(textOf(smallBytes).replace("hs256.first.", "hs256.second."))
    assertFailure(Snapshot.open(ring, id, bytes, rules), new InvalidJson({ id, reason: new BadSignature({}) }))
  })

  it("refuses a snapshot that was put under another id, and says whose it is", () => {
    const moved = Snapshot.open(keyRing, otherId, smallBytes, rules)
    assertFailure(moved, new InvalidJson({ id: otherId, reason: new IdMismatch({ found: id }) }))
  })

  it("refuses a snapshot of another session whose id was written over", () => {
    const renamed = Text.toBytes(textOf(smallBytes).replace(id, otherId))
    refused(renamed, new BadSignature({}))
    assertFailure(
      Snapshot.open(keyRing, otherId, renamed, rules),
      new InvalidJson({ id: otherId, reason: new BadSignature({}) })
    )
  })

  it("refuses a document that was signed for this session but names another", () => {
    refused(sign(documentWith(["id"], otherId)), new IdMismatch({ found: otherId }))
  })

  it("refuses any one bit that flips, at every byte, with the error that fits the place", () => {
    const text = textOf(smallBytes)
    const versionAt = text.indexOf("2")
    const keyAt = text.lastIndexOf("first") + smallBytes.length - text.length
    const macAt = smallBytes.length - 45
    const allowedAt = (index: number): ReadonlyArray<string> => {
      if (index === versionAt) return ["BadSignature", "SchemaVersion"]
      if (index < tailStart) return ["BadSignature"]
      if (index >= keyAt && index < keyAt + 5) return ["UnknownKey", "BadSignature", "Syntax", "NotUtf8", "Unsigned"]
      if (index >= macAt && index < macAt + 43) return ["BadSignature", "Syntax", "NotUtf8", "Unsigned"]
      return ["BadSignature", "Unsigned", "Syntax", "NotUtf8"]
    }
    for (let index = 0; index < smallBytes.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const tag = tagOf(flipped(smallBytes, index, 1 << bit))
        assertTrue(allowedAt(index).includes(tag), `bit ${bit} of byte ${index}: ${tag}`)
      }
    }
  })

  it.prop(
    "refuses any one byte that changes in any session's file",
    { state: states, place: Unit, change: Unit },
    ({ change, place, state }) => {
      const { bytes } = publish(state)
      const index = Math.floor(place * bytes.length)
      const result = Snapshot.open(
        keyRing,
        state.session.id,
        flipped(bytes, index, 1 + Math.floor(change * 255)),
        rules
      )
      assertTrue(Result.isFailure(result))
    },
    { arbitrary: { runs: 100, seed: 3 } }
  )
})

describe("Head.decode", () => {
  const decode = (bytes: Uint8Array, isSigned = true) => Head.decode(id, bytes, isSigned)

  it.prop("reads the head of any session from its first bytes", [states], ([state]) => {
    const { bytes } = publish(state, { epoch: 7, closedAt: later })
    const head = Head.decode(state.session.id, bytes.subarray(0, Head.maxHeadBytes), true)
    const { head: expected } = Result.getOrThrow(Snapshot.open(keyRing, state.session.id, bytes, rules))
    assertSuccess(head, Option.some(expected))
  }, { arbitrary: { runs: 60, seed: 4 } })

  it("fits the longest name and path that can be stored, however JSON writes them", () => {
    for (const character of ["\u0001", "\"", "é", "漢", "👋", "x"]) {
      const bytesEach = Text.toBytes(character).length
      const state: Session.SessionState = {
        ...small,
        session: {
          ...small.session,
          name: character.repeat(50),
          projectPath: `/${character.repeat(Math.floor(4095 / bytesEach))}`
        },
        revision: Number.MAX_SAFE_INTEGER
      }
      const { bytes } = publish(state, { epoch: Number.MAX_SAFE_INTEGER, closedAt: later })
      assertTrue(Result.isSuccess(open(bytes)))
      const head = Result.getOrThrow(decode(bytes.subarray(0, Head.maxHeadBytes)))
      strictEqual(Option.getOrThrow(head).projectPath, state.session.projectPath)
    }
  })

  it("gives nothing where the bytes do not hold all of it", () => {
    const end = textOf(smallBytes).indexOf(",\"config\":")
    for (const length of [0, 1, 20, end, end + 5]) {
      assertSuccess(decode(smallBytes.subarray(0, length)), Option.none())
    }
    strictEqual(Option.isSome(Result.getOrThrow(decode(smallBytes.subarray(0, end + 10)))), true)
  })

  it("is not led astray by a name or path that looks like the end of the head", () => {
    const session = { ...small.session, name: ",\"config\":{", projectPath: "/\",\"config\":\"" }
    const head = Option.getOrThrow(Result.getOrThrow(decode(publish({ ...small, session }).bytes)))
    strictEqual(head.name, session.name)
    strictEqual(head.projectPath, session.projectPath)
  })

  it("says why an unsigned file is refused", () => {
    const text = JSON.stringify(document)
    assertFailure(decode(Text.toBytes(text), false), new InvalidJson({ id, reason: new Unsigned({}) }))
    assertFailure(decode(new Uint8Array(0), false), new InvalidJson({ id, reason: new Syntax({ offset: 0 }) }))
    assertFailure(
      decode(Text.toBytes("[]"), false),
      new InvalidJson({ id, reason: new Shape({ path: "", expected: "an object" }) })
    )
    assertFailure(decode(new Uint8Array([0xff]), false), new InvalidJson({ id, reason: new NotUtf8({}) }))
    assertFailure(
      decode(Text.toBytes(text.replace("\"version\":2", "\"version\":3")), false),
      new SchemaVersion({ id, supported: 2, found: 3 })
    )
  })

  it("refuses a head that is not one", () => {
    const text = textOf(smallBytes)
    const reasonOf = (from: string, to: string) => {
      const result = decode(Text.toBytes(text.replace(from, to)))
      assertTrue(Result.isFailure(result) && result.failure._tag === "InvalidJson")
      return result.failure.reason
    }
    deepStrictEqual(reasonOf("\"revision\":4", "\"revision\":-4")._tag, "Shape")
    deepStrictEqual(reasonOf("\"name\":\"small\",", ""), new Shape({ path: "name", expected: "present" }))
    deepStrictEqual(reasonOf(id, otherId), new IdMismatch({ found: otherId }))
    deepStrictEqual(reasonOf("\"name\":", "\"name\""), new Syntax({ offset: text.indexOf("\"small\"") - 1 }))
  })

  it("refuses a newer head as newer, however it goes on", () => {
    const expected = new SchemaVersion({ id, supported: 2, found: 3 })
    const newer = textOf(smallBytes).replace("\"version\":2", "\"version\":3")
    assertFailure(decode(Text.toBytes(newer)), expected)
    assertFailure(decode(Text.toBytes(newer.replace("\"config\"", "\"settings\""))), expected)
    assertFailure(decode(Text.toBytes(newer.replace("\"revision\":4", "\"revision\":\"4\""))), expected)
  })

  it("takes deep nesting in the head for a failure, not a crash", () => {
    const deep = nested(15_000)
    for (const text of [`{"x":${deep},"config":`, `{"e":"\\ud83d\\ude00","x":${deep},"config":`]) {
      const result = decode(Text.toBytes(text))
      assertTrue(Result.isFailure(result))
      strictEqual(result.failure._tag, "SchemaVersion")
    }
  })
})

describe("Head.signatureAtEnd", () => {
  it("finds the signature in the last bytes alone, the longest included", () => {
    const ring = keyRingOf("k".repeat(32))
    const { bytes, signature } = publish(small, { epoch: 1 }, ring)
    strictEqual(signature.length, Signature.maxLength)
    assertSome(Head.signatureAtEnd(bytes.subarray(-Head.maxTailBytes)), signature)
    assertNone(Head.signatureAtEnd(bytes.subarray(1 - Head.maxTailBytes)))
  })

  it("finds none in a file that was cut, or ends otherwise", () => {
    assertNone(Head.signatureAtEnd(smallBytes.subarray(0, -1)))
    assertNone(Head.signatureAtEnd(new Uint8Array(0)))
    assertNone(Head.signatureAtEnd(unsignedText(document)))
  })
})
