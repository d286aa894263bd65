/** What is made once. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "../../src/services/Once.ts"

describe("once", () => {
  it("makes nothing before it is asked for, and the same thing from then on", () => {
    let made = 0
    const list = once({ length: 3 }, ({ length }) => {
      made++
      return Array.from({ length }, (_, index) => index)
    })
    assert.strictEqual(made, 0)
    const first = list()
    assert.deepStrictEqual(first, [0, 1, 2])
    assert.strictEqual(list(), first)
    assert.strictEqual(made, 1)
  })
})
