import { describe, it } from "@effect/vitest"
import { strictEqual, throws } from "@effect/vitest/utils"
import { DateTime, Schema } from "effect"
import { Timestamp } from "effect-reprise"

const is = Schema.is(Timestamp.Timestamp)

describe("Timestamp", () => {
  it.prop("names the same moment as DateTime, whatever the moment", [Timestamp.Timestamp], ([timestamp]) => {
    strictEqual(Timestamp.fromDateTime(Timestamp.toDateTime(timestamp)), timestamp)
    strictEqual(new Date(Timestamp.toMillis(timestamp)).toISOString(), timestamp)
  }, { arbitrary: { runs: 100, seed: 1 } })

  it.prop(
    "orders as text as it orders in time",
    [Timestamp.Timestamp, Timestamp.Timestamp],
    ([self, that]) => {
      strictEqual(
        Math.sign(Timestamp.toMillis(self) - Timestamp.toMillis(that)),
        self < that ? -1 : self > that ? 1 : 0
      )
    },
    { arbitrary: { runs: 100, seed: 2 } }
  )

  it("accepts the first and last moment of every month, and leap days", () => {
    const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    for (const [month, last] of days.entries()) {
      const name = String(month + 1).padStart(2, "0")
      strictEqual(is(`2024-${name}-01T00:00:00.000Z`), true)
      strictEqual(is(`2024-${name}-${last}T23:59:59.999Z`), true)
      strictEqual(is(`2024-${name}-${last + 1}T00:00:00.000Z`), false)
      strictEqual(is(`2024-${name}-00T00:00:00.000Z`), false)
    }
    for (const year of ["2000", "2024", "0000", "0400"]) strictEqual(is(`${year}-02-29T12:00:00.000Z`), true)
    for (const year of ["1900", "2023", "2100", "9999"]) strictEqual(is(`${year}-02-29T12:00:00.000Z`), false)
  })

  it("refuses every other way to write a moment", () => {
    const others = [
      "",
      "2026-01-31",
      "2026-01-31T09:30:00Z",
      "2026-01-31T09:30:00.00Z",
      "2026-01-31T09:30:00.0000Z",
      "2026-01-31T09:30:00.000",
      "2026-01-31T09:30:00.000z",
      "2026-01-31t09:30:00.000Z",
      "2026-01-31 09:30:00.000Z",
      "2026-01-31T09:30:00.000+00:00",
      "2026-01-31T24:00:00.000Z",
      "2026-01-31T09:60:00.000Z",
      "2026-01-31T09:30:60.000Z",
      "2026-00-31T09:30:00.000Z",
      "2026-13-31T09:30:00.000Z",
      "+002026-01-31T09:30:00.000Z",
      "-000001-01-31T09:30:00.000Z",
      "2026-01-31T09:30:00.000Z\n",
      " 2026-01-31T09:30:00.000Z",
      "٢٠٢٦-01-31T09:30:00.000Z",
      "22 Nov 2026"
    ]
    for (const text of others) strictEqual(is(text), false, text)
    for (const value of [null, undefined, 0, new Date(0), {}]) strictEqual(is(value), false)
  })

  it("writes a zoned moment in UTC", () => {
    const zoned = DateTime.makeZonedUnsafe("2026-01-31T09:30:00.000Z", { timeZone: "Asia/Tokyo" })
    strictEqual(Timestamp.fromDateTime(zoned), "2026-01-31T09:30:00.000Z")
  })

  it("never makes a timestamp of a year that it can't write", () => {
    for (const millis of [253402300800000, -62167219200001]) {
      throws(() => void Timestamp.fromDateTime(DateTime.makeUnsafe(millis)))
    }
    strictEqual(Timestamp.fromDateTime(DateTime.makeUnsafe(253402300799999)), "9999-12-31T23:59:59.999Z")
    strictEqual(Timestamp.fromDateTime(DateTime.makeUnsafe(-62167219200000)), "0000-01-01T00:00:00.000Z")
  })
})
