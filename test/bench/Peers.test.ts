import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as NodeOs from "node:os"
import { peers } from "./peers/catalogue.ts"
import * as Contest from "./peers/contest.ts"
import * as Workspace from "./workspace.ts"

const peerOf = (name: string) => peers.filter((peer) => peer.name === name)

const missing = peerOf("lowdb")
const unloadable = peerOf("conf")

const work = {
  seed: 1,
  library: "sources" as const,
  counts: [2, 3],
  listed: { sessions: 2, messages: 1 },
  rounds: 1,
  times: 1,
  traces: false,
  tell: () => Effect.void
}

describe("A contest of peers", () => {
  it.live("measures who can be, and tells of the others why they were skipped", () =>
    Effect.gen(function*() {
      const root = yield* Workspace.make(NodeOs.tmpdir())
      const { measured, skipped } = yield* Contest.run({
        ...work,
        root,
        peers: [...peerOf("Reprise, FileSystem"), ...missing, ...unloadable],
        install: (peer) => {
          if (missing.includes(peer)) throw new Error("npm install: there is no network")
          return root
        }
      })
      assert.deepStrictEqual(measured.map(({ name }) => name), ["Reprise, FileSystem"])
      assert.isTrue(measured.every(Schema.is(Contest.Measured)))
      for (const { append, bytes, list, load } of measured) {
        assert.isTrue([...append, ...load, list].every(({ median }) => median > 0))
        // A line has the message of 1 KiB, and less than as much beside it.
        if (bytes !== undefined) assert.isTrue(bytes > 1024 && bytes < 2048, `${bytes} bytes`)
      }
      assert.deepStrictEqual(skipped.map(({ name }) => name), ["lowdb", "conf"])
      assert.strictEqual(skipped[0]?.reason, "npm install: there is no network")
      assert.match(skipped[1]?.reason ?? "", /Cannot find package 'conf'/)
      const lines = Contest.table(work, measured).split("\n")
      assert.match(
        lines[0] ?? "",
        /append at 2 +append at 3 +load 2 +load 3 +list 2 +bytes +syncs +validates +verifies$/
      )
      assert.match(lines[1] ?? "", /^Reprise, FileSystem .* unknown +yes +yes$/)
    }).pipe(Effect.scoped), 60_000)
})
