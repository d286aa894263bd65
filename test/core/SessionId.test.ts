import { describe, it } from "@effect/vitest"
import { strictEqual, throws } from "@effect/vitest/utils"
import { Arbitrary, Effect, Schema } from "effect"
import { SessionId } from "effect-reprise"

const uuid = "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"

describe("SessionId", () => {
  it("accepts lower-case UUIDs v4 of every variant", () => {
    for (const variant of ["8", "9", "a", "b"]) {
      const text = uuid.replace("9b2e", `${variant}b2e`)
      strictEqual(SessionId.isSessionId(text), true)
      strictEqual(SessionId.make(text), text)
    }
  })

  it("refuses everything else, and make throws on it", () => {
    const others = [
      "",
      "..",
      "../../etc/passwd",
      `../${uuid}`,
      `${uuid}/..`,
      `${uuid}/session.json`,
      `/${uuid}`,
      `\\${uuid}`,
      `${uuid}\0`,
      `${uuid.slice(0, -1)}\0`,
      `${uuid.slice(0, -1)}/`,
      uuid.toUpperCase(),
      uuid.replace("f", "F"),
      `${uuid}\n`,
      `\n${uuid}`,
      `${uuid}\r\n`,
      ` ${uuid}`,
      `${uuid} `,
      `${uuid}\n${uuid}`,
      `{${uuid}}`,
      `urn:uuid:${uuid}`,
      `${uuid}.json`,
      uuid.replaceAll("-", ""),
      uuid.replace("-", "_"),
      uuid.slice(0, -1),
      `${uuid}0`,
      uuid.replace("6", "g"),
      uuid.replace("6", "６"),
      "00000000-0000-0000-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
      uuid.replace("-9b2e", "-7b2e"),
      uuid.replace("-9b2e", "-cb2e"),
      ...["1", "3", "5", "6", "7", "8"].map((version) => uuid.replace("-4c55", `-${version}c55`))
    ]
    for (const text of others) {
      strictEqual(SessionId.isSessionId(text), false, JSON.stringify(text))
      throws(() => void SessionId.make(text))
    }
    for (const value of [null, undefined, 4, {}, [uuid], new String(uuid)]) {
      strictEqual(SessionId.isSessionId(value), false)
    }
  })

  it.prop("generates only ids that it accepts, all in lower case", [SessionId.SessionId], ([id]) => {
    strictEqual(SessionId.isSessionId(id), true)
    strictEqual(id.toLowerCase(), id)
    strictEqual(/^[0-9a-f-]{36}$/.test(id), true)
  }, { arbitrary: { runs: 100, seed: 1 } })

  it.effect("does not show a refused text in the error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Schema.decodeEffect(SessionId.SessionId)("../S3CRET"))
      strictEqual(error.message.includes("S3CRET"), false)
      strictEqual(error.message.includes("a lower-case UUID v4"), true)
    }))

  it.effect("generates different ids", () =>
    Effect.gen(function*() {
      const ids = yield* Arbitrary.sampleEffect(Arbitrary.schema(SessionId.SessionId), { count: 50, seed: 2 })
      strictEqual(new Set(ids).size, 50)
    }))
})
