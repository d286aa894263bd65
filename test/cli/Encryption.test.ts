import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { NodeSessions } from "effect-reprise/node"
import * as NodeFs from "node:fs"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Rig from "../suites/rig.ts"
import * as Cli from "./cli-rig.ts"

const list = Schema.decodeEffect(Schema.fromJsonString(CliJson.List))

/** A desk whose runs open the key ring anew, with a session that was stored before. */
const scene = Effect.gen(function*() {
  const desk = yield* Cli.overFiles()
  const whole = (args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
    desk.run(args, { isWhole: true, env })
  const within = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, NodeSessions.layer({ directory: desk.sessions }), { local: true })
  const files = () =>
    NodeFs.readdirSync(desk.sessions, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json") || name.endsWith(".jsonl"))
      .map((name) => NodeFs.readFileSync(`${desk.sessions}/${name}`, "latin1"))
      .join("\n")
  return { ...desk, files, whole, within }
})

describe("reprise keys encrypt", () => {
  it.effect("encrypts what is stored and what will be, and everything is read as before", () =>
    Effect.gen(function*() {
      const { files, project, whole, within } = yield* scene
      yield* within(Cli.stored({ project, name: "plain words", messages: 2 }))
      assert.include(files(), "plain words")
      assert.include((yield* whole(["doctor"])).out, "Encryption is off")
      const { code, out } = yield* whole(["keys", "encrypt"])
      assert.strictEqual(code, 0)
      assert.match(out, /signs and encrypts from now on\. 1 session signed with it, 0 left alone, 0 failed\./)
      yield* within(Cli.stored({ project, name: "later words", messages: 1 }))
      assert.notMatch(files(), /plain words|later words|message \d/)
      const shown = yield* list((yield* whole(["list", "--json"])).out)
      assert.sameMembers(shown.sessions.map(({ name }) => name), ["plain words", "later words"])
      assert.include((yield* whole(["show", "plain words", "--no-pager"])).out, "message 1")
      assert.include((yield* whole(["show", "plain words", "--raw"])).out, "message 1")
      assert.match((yield* whole(["doctor"])).out, /signs and encrypts\./)
      assert.include((yield* whole(["keys", "list"])).out, "encrypts")
      const rotated = yield* whole(["keys", "rotate"])
      assert.match(rotated.out, /2 sessions signed with it, 0 left alone, 0 failed\./)
      assert.strictEqual((yield* whole(["verify"])).code, 0)
    }))

  it.effect("stays on where the environment asked for it once", () =>
    Effect.gen(function*() {
      const { files, project, whole, within } = yield* scene
      assert.strictEqual((yield* whole(["keys", "list"], { REPRISE_ENCRYPT: "1" })).code, 0)
      yield* within(Cli.stored({ project, name: "secret words", messages: 1 }))
      assert.notInclude(files(), "secret words")
    }))

  it.effect("lists sessions by their ids where the key ring is gone, and changes nothing", () =>
    Effect.gen(function*() {
      const { files, project, root, whole, within } = yield* scene
      yield* whole(["keys", "list"], { REPRISE_ENCRYPT: "1" })
      const id = yield* within(Cli.stored({ project, name: "secret words", messages: 1 }))
      const before = files()
      for (const name of NodeFs.readdirSync(root).filter((name) => name.startsWith("keyring"))) {
        NodeFs.renameSync(`${root}/${name}`, `${root}/away-${name}`)
      }
      const { out } = yield* whole(["list", "--all"])
      assert.include(out, id)
      assert.match(out, /encrypted with the key/)
      assert.notInclude(out, "secret words")
      assert.notStrictEqual((yield* whole(["show", id])).code, 0)
      assert.strictEqual(files(), before)
    }))
})

describe("NodeSessions.layer", () => {
  it.effect("refuses to turn off what the key ring says is on", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const open = (encryption?: boolean) =>
        Effect.provide(
          Effect.void,
          NodeSessions.layer({ directory: sessions, ...(encryption === undefined ? {} : { encryption }) }),
          { local: true }
        )
      yield* open(true)
      yield* open()
      assert.strictEqual((yield* Effect.flip(open(false)))._tag, "StoreError")
    }))
})
