import { describe, it } from "@effect/vitest"
import { assertNone, assertSome, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Effect, Option, Schema } from "effect"
import { Hmac } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import * as NodeCrypto from "node:crypto"
import * as Signature from "../../src/core/Signature.ts"
import * as Text from "../../src/core/Text.ts"
import { id, keyRing, keyRingOf, otherId } from "./documents.ts"

const subject: Signature.Subject = { domain: "snapshot", version: 2, id }

const macOf = (keys: Signature.KeyRing, keyId: string, subject: Signature.Subject, text = "bytes"): Uint8Array => {
  const mac = Option.getOrThrow(Signature.start(keys, keyId, subject))
  mac.update(Text.toBytes(text))
  return mac.digest()
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("Signature.start", () => {
  it("covers domain, version, algorithm, key id and session id beside the bytes", () => {
    const secret = new Uint8Array(32).fill(5).fill("f".charCodeAt(0), 8)
    const expected = NodeCrypto.createHmac("sha256", secret)
      .update(`effect-reprise snapshot\n2\nhs256\nfirst\n${id}\nbytes`)
      .digest("hex")
    strictEqual(hex(macOf(keyRing, "first", subject)), expected)
  })

  it("gives another MAC for another domain, version, id, key or content", () => {
    const ring = keyRingOf("first", "second")
    const macs = [
      macOf(ring, "first", subject),
      macOf(ring, "first", { ...subject, domain: "journal" }),
      macOf(ring, "first", { ...subject, version: 3 }),
      macOf(ring, "first", { ...subject, version: 22 }),
      macOf(ring, "first", { ...subject, id: otherId }),
      macOf(ring, "second", subject),
      macOf(ring, "first", subject, "byte"),
      macOf(ring, "first", subject, "")
    ]
    strictEqual(new Set(macs.map(hex)).size, macs.length)
  })

  it("gives nothing for a key that the ring does not have", () => {
    for (const keyId of ["second", "", "FIRST", "__proto__", "constructor"]) {
      assertNone(Signature.start(keyRing, keyId, subject))
    }
  })

  it("gives a fresh MAC each time", () => {
    strictEqual(hex(macOf(keyRing, "first", subject)), hex(macOf(keyRing, "first", subject)))
  })
})

describe("Signature.make and parse", () => {
  it.prop(
    "parse what make wrote, and nothing but that text",
    [Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,32}$/)), Arbitrary.schema(Schema.Int)],
    ([keyId, seed]) => {
      const mac = new Uint8Array(NodeCrypto.createHash("sha256").update(String(seed)).digest())
      const signature = Signature.make(keyId, mac)
      assertSome(Signature.parse(signature.text), signature)
      assertNone(Signature.parse(`${signature.text}A`))
      assertNone(Signature.parse(signature.text.slice(0, -1)))
      assertNone(Signature.parse(` ${signature.text}`))
      assertNone(Signature.parse(`${signature.text}\n`))
    },
    { arbitrary: { runs: 60, seed: 1 } }
  )

  it("take exactly one text for each MAC: unused bits of the last character are zero", () => {
    const { text } = Signature.make("first", new Uint8Array(32))
    strictEqual(text, `hs256.first.${"A".repeat(43)}`)
    for (const last of ["B", "C", "D"]) assertNone(Signature.parse(text.slice(0, -1) + last))
    assertSome(Option.map(Signature.parse(`${text.slice(0, -1)}E`), ({ mac }) => mac[31]), 1)
  })

  it("refuse other algorithms, key ids and encodings", () => {
    const mac = "A".repeat(43)
    const others = [
      "",
      "hs256",
      `hs256.${mac}`,
      `hs256..${mac}`,
      `hs384.first.${mac}`,
      `Hs256.first.${mac}`,
      `hs256.${"k".repeat(33)}.${mac}`,
      `hs256.fi/rst.${mac}`,
      `hs256.fi.rst.${mac}`,
      `hs256.first.${mac}=`,
      `hs256.first.${"+".repeat(43)}`,
      `hs256.first.${mac}.more`
    ]
    for (const text of others) assertNone(Signature.parse(text))
  })

  it("never write more than maxLength characters", () => {
    strictEqual(Signature.make("k".repeat(32), new Uint8Array(32).fill(255)).text.length, Signature.maxLength)
  })
})

describe("Signature.matches", () => {
  const mac = () => {
    const running = Option.getOrThrow(Signature.start(keyRing, "first", subject))
    running.update(Text.toBytes("bytes"))
    return running
  }

  it("accepts the MAC itself and refuses every one bit beside it", () => {
    const right = mac().digest()
    strictEqual(Signature.matches(mac(), Signature.make("first", right)), true)
    for (let bit = 0; bit < 256; bit++) {
      const wrong = Uint8Array.from(right)
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      strictEqual(Signature.matches(mac(), Signature.make("first", wrong)), false)
    }
  })

  it("refuses a MAC of another length", () => {
    const right = mac().digest()
    for (const wrong of [new Uint8Array(0), right.subarray(0, 31), Text.concat([right, new Uint8Array(1)])]) {
      strictEqual(Signature.matches(mac(), Signature.make("first", wrong)), false)
    }
  })
})

describe("Signature.isKeyId", () => {
  it("takes 1 to 32 of A-Z a-z 0-9 _ -", () => {
    for (const text of ["a", "A-Z_09", "k".repeat(32)]) strictEqual(Signature.isKeyId(text), true)
    for (const text of ["", "k".repeat(33), "a.b", "a b", "é", "a\n", "a:b", "a,b"]) {
      strictEqual(Signature.isKeyId(text), false)
    }
  })
})

describe("NodeHmac", () => {
  const hmac = Effect.runSync(Effect.provide(Hmac.Hmac, NodeHmac.layer))

  it("is HMAC-SHA256 for secrets and messages of any length, in any pieces", () => {
    for (const length of [0, 1, 32, 63, 64, 65, 200]) {
      const secret = new Uint8Array(length).fill(0xa5)
      for (const pieces of [[], [""], ["a"], ["a", "", "bc"], ["x".repeat(1000), "y".repeat(64)]]) {
        const mac = hmac.start(secret)
        for (const piece of pieces) mac.update(Text.toBytes(piece))
        strictEqual(hex(mac.digest()), NodeCrypto.createHmac("sha256", secret).update(pieces.join("")).digest("hex"))
      }
    }
  })

  it("goes on after a digest, as if there had been none", () => {
    const mac = hmac.start(new Uint8Array(32))
    mac.update(Text.toBytes("one"))
    const before = mac.digest()
    deepStrictEqual(mac.digest(), before)
    mac.update(Text.toBytes("two"))
    strictEqual(hex(mac.digest()), NodeCrypto.createHmac("sha256", new Uint8Array(32)).update("onetwo").digest("hex"))
  })
})
