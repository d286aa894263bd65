import { describe, it } from "@effect/vitest"
import { assertNone, assertSome, assertTrue, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, type Schema } from "effect"
import { Holder } from "effect-reprise"
import * as Lease from "../../src/core/Lease.ts"
import * as Text from "../../src/core/Text.ts"
import { at, changed, flipped, nested } from "./documents.ts"

const holder: Holder.Holder = {
  host: "host",
  bootId: "0c3b0b43-2ac5-4b0c-9d0e-0c6a8f9c6f5b",
  pidNamespace: "pid:[4026531836]",
  pid: 4711,
  startTime: "123456"
}

const lease: Lease.Lease = { version: 1, state: "held", epoch: 3, nonce: "nonce", holder, since: at }

const json: Schema.Json = { ...lease, holder: { ...holder } }

const read = (json: Schema.Json, epoch = 3) => Lease.fromBytes(Text.toBytes(JSON.stringify(json)), epoch)

describe("Lease", () => {
  it.prop("reads what it wrote, at its own epoch and at no other", [
    Arbitrary.map(Arbitrary.schema(Lease.Lease), (lease): Lease.Lease => ({
      ...lease,
      nonce: lease.nonce.toWellFormed(),
      holder: {
        host: lease.holder.host.toWellFormed(),
        bootId: lease.holder.bootId.toWellFormed(),
        pidNamespace: lease.holder.pidNamespace.toWellFormed(),
        pid: lease.holder.pid === 0 ? 0 : lease.holder.pid,
        startTime: lease.holder.startTime.toWellFormed()
      }
    }))
  ], ([lease]) => {
    assertSome(Lease.fromBytes(Lease.toBytes(lease), lease.epoch), lease)
    assertNone(Lease.fromBytes(Lease.toBytes(lease), lease.epoch - 1))
  }, { arbitrary: { runs: 100, seed: 1 } })

  it("stays below its limit with the longest names that a machine has", () => {
    const long: Lease.Lease = {
      ...lease,
      epoch: Number.MAX_SAFE_INTEGER,
      nonce: "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10",
      holder: { ...holder, host: "h".repeat(255), pid: 2 ** 31, startTime: "9".repeat(20) }
    }
    assertTrue(Lease.toBytes(long).length < Lease.maxBytes)
  })

  it("reads every state, and members that it does not know", () => {
    for (const state of ["held", "released", "removed"]) {
      assertTrue(read(changed(json, ["state"], () => state))._tag === "Some")
    }
    assertTrue(read(changed(json, ["future"], () => 1))._tag === "Some")
  })

  it("takes nothing else for a lease", () => {
    const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, Schema.Json | undefined]> = [
      [["version"], 2],
      [["version"], "1"],
      [["version"], undefined],
      [["state"], "Held"],
      [["state"], undefined],
      [["epoch"], 0],
      [["epoch"], "3"],
      [["epoch"], 3.5],
      [["epoch"], undefined],
      [["nonce"], ""],
      [["nonce"], undefined],
      [["holder"], null],
      [["holder"], undefined],
      [["holder", "pid"], "4711"],
      [["holder", "pid"], 1.5],
      [["holder", "host"], undefined],
      [["holder", "bootId"], undefined],
      [["holder", "pidNamespace"], null],
      [["holder", "startTime"], 1],
      [["since"], "2026-01-31"],
      [["since"], undefined]
    ]
    assertSome(read(json), lease)
    for (const [path, value] of wrong) assertNone(read(changed(json, path, () => value)))
    for (const other of [null, [], 1, "held", [json]]) assertNone(read(other))
  })

  it("takes no bytes for a lease that were cut or are not text", () => {
    const bytes = Lease.toBytes(lease)
    for (let length = 0; length < bytes.length - 1; length++) assertNone(Lease.fromBytes(bytes.subarray(0, length), 3))
    assertNone(Lease.fromBytes(new Uint8Array([0xff]), 3))
    assertNone(Lease.fromBytes(Text.concat([new Uint8Array([0xef, 0xbb, 0xbf]), bytes]), 3))
    assertNone(Lease.fromBytes(new Uint8Array(100), 3))
    assertNone(Lease.fromBytes(Text.toBytes(nested(2000)), 3))
  })

  it("never reads another epoch or state out of one flipped bit", () => {
    const bytes = Lease.toBytes(lease)
    for (let index = 0; index < bytes.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const found = Lease.fromBytes(flipped(bytes, index, 1 << bit), 3)
        if (found._tag === "None") continue
        strictEqual(found.value.epoch, 3)
        strictEqual(found.value.state, "held")
      }
    }
  })
})

describe("Holder.format", () => {
  it("names process and host", () => {
    strictEqual(Holder.format(holder), "process 4711 on host")
  })
})
