/** The commands that look after sessions, and those that carry them elsewhere. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { type SessionId, Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Cli from "./cli-rig.ts"

const decode = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string) =>
  Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(schema))(text))

const tamper = (sessions: string, id: SessionId.SessionId) => {
  const file = `${sessions}/${id}/session.json`
  NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("message 0", "message 1"))
}

/** Two sessions, of which the second was tampered with. */
const two = Effect.gen(function*() {
  const cli = yield* Cli.overFiles()
  const { project, sessions, within } = cli
  const good = yield* within(Cli.stored({ project, name: "good", messages: 2 }))
  const bad = yield* within(Cli.stored({ project, name: "bad", messages: 1 }))
  tamper(sessions, bad)
  return { ...cli, good, bad }
})

describe("reprise verify", () => {
  it.effect("reads every session, and ends with 4 when one can't be believed", () =>
    Effect.gen(function*() {
      const { bad, good, run } = yield* two
      const { code, err, out } = yield* run(["verify"])
      assert.strictEqual(code, 4)
      assert.match(out, new RegExp(`^intact  ${good}  good, \\d+ B$`, "m"))
      assert.include(out, `broken  ${bad}  bad: Its signature does not fit its content: the file was changed.\n`)
      assert.include(out, "2 sessions verified: 1 intact, 1 broken.\n")
      assert.include(err, "error: 1 of 2 were not intact.\n")
    }))

  it.effect("reads one, and ends with 0 when it is intact", () =>
    Effect.gen(function*() {
      const { good, run } = yield* two
      const { code, err, out } = yield* run(["verify", good])
      assert.deepStrictEqual([code, err], [0, ""])
      assert.match(out, /^intact {2}/)
      assert.strictEqual((yield* run(["verify", "bad"])).code, 4)
    }))

  it.effect("prints one document, or a line a session", () =>
    Effect.gen(function*() {
      const { bad, good, run } = yield* two
      const report = yield* decode(CliJson.Verify, (yield* run(["verify", "--json"])).out)
      assert.deepStrictEqual([report.intact, report.broken], [1, 1])
      const failed = report.sessions.find(({ id }) => id === bad)
      assert.deepInclude(failed?.error, { error: "InvalidJson/BadSignature", exitCode: 4 })
      const lines = (yield* run(["verify", "--ndjson"])).out.trimEnd().split("\n")
      const verified = yield* Effect.forEach(lines, (line) => decode(CliJson.Verified, line))
      assert.sameMembers(verified.map(({ id, isIntact }) => `${id} ${isIntact}`), [`${good} true`, `${bad} false`])
    }))

  it.effect("has nothing to say about nothing", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.overFiles()
      const { code, out } = yield* run(["verify"])
      assert.deepStrictEqual([code, out], [0, "0 sessions verified: 0 intact, 0 broken.\n"])
    }))
})

describe("reprise keys", () => {
  it.effect("lists keys by their ids, the one that signs first", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.overFiles()
      assert.strictEqual((yield* run(["keys", "list"])).out, "test  signs and verifies\n")
      assert.deepStrictEqual(yield* decode(CliJson.Keys, (yield* run(["keys", "list", "--json"])).out), {
        current: "test",
        ids: ["test"],
        encrypts: false
      })
    }))

  it.effect("makes a new key, and signs every session with it", () =>
    Effect.gen(function*() {
      const { project, root, run, within } = yield* Cli.asShipped
      const one = yield* within(Cli.stored({ project, name: "one" }))
      yield* within(Cli.stored({ project: root, name: "two" }))
      const { current: before } = yield* decode(CliJson.Keys, (yield* run(["keys", "list", "--json"])).out)
      const { code, out } = yield* run(["keys", "rotate"])
      assert.strictEqual(code, 0)
      assert.include(out, `signed  ${one}\n`)
      const { current, ids } = yield* decode(CliJson.Keys, (yield* run(["keys", "list", "--json"])).out)
      assert.deepStrictEqual(ids, [current, before])
      assert.include(out, `The key ${current} signs from now on. 2 sessions signed with it, 0 left alone, 0 failed.\n`)
      const again = yield* decode(CliJson.Rotation, (yield* run(["keys", "rotate", "--continue", "--json"])).out)
      assert.deepStrictEqual([again.current, again.signed, again.skipped.length], [current, [], 2])
      assert.strictEqual((yield* run(["verify"])).code, 0)
      const doctor = yield* run(["doctor"])
      assert.include(doctor.out, `${root}/keyring.2.json, 2 keys, ${current} signs.`)
    }))

  it.effect("shows its subcommands where none is named", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.overFiles()
      const { out } = yield* run(["keys"])
      assert.include(out, "rotate")
      assert.include(out, "reprise keys list")
    }))
})

describe("reprise export and import", () => {
  it.effect("carry a session to another store, which tells that it can't verify it", () =>
    Effect.gen(function*() {
      const here = yield* two
      const there = yield* Cli.overFiles()
      const file = `${here.root}/carried.json`
      NodeFs.writeFileSync(`${here.root}/secret`, "s".repeat(40))
      const secret = ["--secret-file", `${here.root}/secret`]
      const exported = yield* here.run(["export", "good", "--output", file, ...secret])
      assert.match(exported.out, new RegExp(`^Exported good to ${file}, \\d+ B\\.\n$`))
      const { code, out } = yield* there.run(["import", file, "--project", there.project, ...secret])
      assert.strictEqual(code, 0)
      assert.include(out, `Imported ${file} as ${here.good}: 2 messages, verified.\n`)
      assert.include(out, "projectPath: mapped to this machine")
      assert.deepStrictEqual(
        (yield* there.within(Sessions.load(here.good))).state.conversation,
        (yield* here.within(Sessions.load(here.good))).state.conversation
      )
      assert.strictEqual((yield* there.run(["verify"])).code, 0)
    }))

  it.effect("writes a file named after the session where none is named, and replaces none unasked", () =>
    Effect.gen(function*() {
      const { good, project, run } = yield* two
      const report = yield* decode(CliJson.Export, (yield* run(["export", "good", "--json"])).out)
      assert.strictEqual(report.file, `${project}/good-${good.slice(0, 8)}.json`)
      assert.strictEqual(NodeFs.statSync(report.file).size, report.bytes)
      assert.strictEqual(NodeFs.statSync(report.file).mode & 0o777, 0o600)
      const again = yield* run(["export", "good"])
      assert.strictEqual(again.code, 1)
      assert.include(
        again.err,
        `why: ${report.file} exists.\n  do:  Name another file with --output, or replace it: --overwrite`
      )
      assert.strictEqual((yield* run(["export", "good", "--overwrite"])).code, 0)
      assert.strictEqual((yield* run(["export", "bad"])).code, 4)
    }))

  it.effect("tell the project relative to a root, and ask where the root is", () =>
    Effect.gen(function*() {
      const here = yield* two
      const there = yield* Cli.overFiles()
      const file = `${here.root}/carried.json`
      const { project } = yield* decode(
        CliJson.Export,
        (yield* here.run(["export", "good", "-o", file, "--root", "..", "--json"])).out
      )
      assert.strictEqual(project, "./project")
      const refused = yield* there.run(["import", file])
      assert.include(refused.err, "--project DIR, or --root DIR")
      const { out } = yield* there.run(["import", file, "--root", "..", "--json"])
      const { imported } = yield* decode(CliJson.Import, out)
      assert.deepStrictEqual(imported.map(({ project, projectExists }) => [project, projectExists]), [
        [there.project, true]
      ])
    }))

  it.effect("refuses what is stored already, takes it as a copy, and goes on past what it refuses", () =>
    Effect.gen(function*() {
      const { good, root, run } = yield* two
      yield* run(["export", "good", "-o", `${root}/good.json`])
      const refused = yield* run(["import", `${root}/good.json`])
      assert.deepStrictEqual([refused.code, refused.err.includes("do:  Bring it in beside that one: --copy")], [
        1,
        true
      ])
      NodeFs.writeFileSync(`${root}/other.json`, "{")
      const { code, err, out } = yield* run(["import", `${root}/other.json`, `${root}/good.json`, "--copy", "--json"])
      // The one failure is of a file that can't be believed.
      assert.strictEqual(code, 4)
      assert.strictEqual((yield* Cli.errorOf(err)).what, "1 of 2 were not imported.")
      const { failed, imported } = yield* decode(CliJson.Import, out)
      assert.deepStrictEqual(failed.map(({ error, target }) => [error, target]), [
        ["InvalidJson/Syntax", `${root}/other.json`]
      ])
      assert.lengthOf(imported, 1)
      assert.notStrictEqual(imported[0]?.id, good)
      assert.deepStrictEqual(imported[0]?.changes, [{ path: "id", change: "replaced by a new one" }])
    }))

  it.effect("takes files without a signature only when it is told to", () =>
    Effect.gen(function*() {
      const { good, root, run } = yield* two
      const file = `${root}/unsigned.json`
      yield* run(["export", "good", "-o", file])
      NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace(/,"signature":"[^"]+"/, ""))
      const refused = yield* run(["import", file, "--copy"])
      assert.deepStrictEqual([refused.code, refused.err.includes("--allow-unsigned")], [4, true])
      const { out } = yield* run(["import", file, "--copy", "--allow-unsigned"])
      assert.include(out, "2 messages, not verified.")
      assert.notInclude(out, good)
    }))

  it.effect("tells of a file or a secret that is not there", () =>
    Effect.gen(function*() {
      const { run } = yield* two
      const missing = yield* run(["import", "nowhere.json"])
      assert.deepStrictEqual([missing.code, missing.err.includes("do:  Name a file or directory that is there.")], [
        1,
        true
      ])
      const secret = yield* run(["import", "nowhere.json", "--secret-file", "nothing"])
      assert.include(secret.err, "error: The secret was not read.\n  why: nothing: NotFound.")
    }))
})

describe("reprise doctor", () => {
  const check = (out: string, name: string) =>
    Effect.map(decode(CliJson.Doctor, out), ({ checks }) => checks.filter((check) => check.name === name))

  it.effect("finds all well where there is nothing yet, and creates nothing", () =>
    Effect.gen(function*() {
      const { root, run, sessions } = yield* Cli.overFiles()
      const { code, err, out } = yield* run(["doctor"])
      assert.deepStrictEqual([code, err], [0, ""])
      assert.include(out, `ok       directory    ${sessions} (is created with the first session)`)
      assert.include(out, `ok       key          ${root}/keyring.json (is created with the first session)`)
      assert.match(out, /^ok {7}space {8}[\d.]+ \S+ free$/m)
      assert.match(out, /^ok {7}versions {5}reprise \d+\.\d+\.\d+, format 2, Node \d+/m)
      assert.deepStrictEqual(NodeFs.readdirSync(root), ["project"])
    }))

  it.effect("tells what is interrupted, broken or foreign, and how to mend each", () =>
    Effect.gen(function*() {
      const { bad, project, root, run, sessions, within } = yield* two
      const id = yield* within(Cli.interrupted({ project, name: "half" }))
      const foreign = "0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json"
      NodeFs.writeFileSync(`${sessions}/${foreign}`, "{}")
      NodeFs.truncateSync(`${sessions}/${bad}/session.json`)
      NodeFs.writeFileSync(`${root}/keyring.json`, "", { mode: 0o600 })
      const { code, err, out } = yield* run(["doctor", "--json"])
      assert.strictEqual(code, 4)
      assert.deepInclude(yield* Cli.errorOf(err), { error: "Unwell", what: "One thing is not well." })
      assert.deepStrictEqual(yield* check(out, "interrupted"), [
        { name: "interrupted", status: "warning", found: `half  ${id}`, next: `reprise resume ${id}` }
      ])
      const [broken] = yield* check(out, "broken")
      assert.deepStrictEqual([broken?.status, broken?.next?.includes(`reprise delete ${bad}`)], ["failed", true])
      const [other] = yield* check(out, "foreign")
      assert.deepStrictEqual([other?.status, other?.next], ["warning", `reprise import ${sessions}/${foreign}`])
    }))

  it.effect("tells who else can look into the directory, and what closes it", () =>
    Effect.gen(function*() {
      const { run, sessions } = yield* Cli.overFiles()
      NodeFs.mkdirSync(sessions, { mode: 0o755 })
      const { code, out } = yield* run(["doctor"])
      assert.strictEqual(code, 0)
      assert.include(out, "warning  permissions  0755, others can look into it.\n")
      assert.include(out, `do: chmod 700 ${sessions}\n`)
    }))

  it.effect("tells that the key is missing where sessions are signed with it", () =>
    Effect.gen(function*() {
      const { root, run } = yield* two
      const { code, err, out } = yield* run(["doctor", "--json"])
      assert.strictEqual(code, 1)
      const [key] = yield* check(out, "key")
      assert.deepStrictEqual([key?.status, key?.found.startsWith(`${root}/keyring.json is missing`)], ["failed", true])
      assert.include((yield* Cli.errorOf(err)).next, "Put it back from a backup")
    }))

  it.effect("tells of a directory that is none", () =>
    Effect.gen(function*() {
      const { run, sessions } = yield* Cli.overFiles()
      NodeFs.writeFileSync(sessions, "")
      const { code, out } = yield* run(["doctor"])
      assert.strictEqual(code, 1)
      assert.include(out, `${sessions} is not a directory.`)
    }))
})

describe("The sessions directory", () => {
  it.effect("is --dir, else REPRISE_DIR, else in the user's state directory", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const directory = (args: ReadonlyArray<string>, env: Record<string, string>) =>
        Effect.map(
          Effect.flatMap(run(["list", "--json", ...args], { env }), ({ out }) => decode(CliJson.List, out)),
          ({ directory }) => directory
        )
      assert.strictEqual(yield* directory(["--dir", "here"], { REPRISE_DIR: "/there" }), `${root}/project/here`)
      assert.strictEqual(yield* directory([], { REPRISE_DIR: "/there" }), "/there")
      const without = { REPRISE_DIR: "", XDG_STATE_HOME: `${root}/state` }
      assert.strictEqual(yield* directory([], without), `${root}/state/reprise/sessions`)
      if (process.platform === "linux") {
        assert.strictEqual(yield* directory([], { REPRISE_DIR: "" }), `${root}/.local/state/reprise/sessions`)
      }
    }))

  it.effect("is told to be named where the user has none", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.overFiles()
      const { code, err } = yield* run(["list"], { env: { REPRISE_DIR: "", HOME: "" } })
      assert.strictEqual(code, 1)
      assert.include(err, "do:  Name one: reprise --dir DIR")
    }))
})
