/**
 * What `reprise doctor` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Migration from "../../core/Migration.ts"
import * as SessionList from "../../core/SessionList.ts"
import * as List from "../../pipelines/List.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as DatabaseHealth from "../DatabaseHealth.ts"
import * as Entries from "../Entries.ts"
import { ExitCode } from "../ExitCode.ts"
import * as Explain from "../Explain.ts"
import { Failure } from "../Failure.ts"
import type { Check } from "../Health.ts"
import * as Health from "../Health.ts"
import * as Output from "../Output.ts"
import * as Package from "../Package.ts"
import * as Place from "../Place.ts"
import * as Printable from "../Printable.ts"
import * as Where from "../Where.ts"

/** Sessions that need somebody, and what they need. */
const ofEntry = (entry: SessionList.Entry, directory: string): ReadonlyArray<Check> => {
  if (SessionList.isStored(entry)) {
    const label = `${Printable.line(entry.name)}  ${entry.id}`
    switch (entry.status) {
      case "interrupted":
        return [{ name: "interrupted", status: "warning", found: label, next: `reprise resume ${entry.id}` }]
      case "elsewhere":
        return [{
          name: "interrupted",
          status: "warning",
          found: `${label} was left by a process that can't be seen from here.`,
          next: `If that has ended: reprise resume ${entry.id} --take-over`
        }]
      default:
        return []
    }
  }
  const unreadable = Entries.toJson(entry, directory)
  if (!Entries.isUnreadable(unreadable)) return []
  const { name, next, state, why } = unreadable
  return [{
    name: state,
    status: state === "broken" ? "failed" : "warning",
    found: `${Printable.line(name)}: ${Printable.line(why)}`,
    next: Printable.line(next)
  }]
}

const summed = (name: Check["name"], checks: ReadonlyArray<Check>): ReadonlyArray<Check> => {
  const found = checks.filter((check) => check.name === name)
  return found.length > 0 ? found : [{ name, status: "ok", found: "none" }]
}

/** What is told of the sessions that a list shows. */
const ofEntries = (entries: ReadonlyArray<SessionList.Entry>, directory: string) => {
  const checks = entries.flatMap((entry) => ofEntry(entry, directory))
  return (["interrupted", "broken", "foreign"] as const).flatMap((name) => summed(name, checks))
}

const versions: Check = {
  name: "versions",
  status: "ok",
  found: `reprise ${Package.version()}, format ${Migration.current.version}, Node ${process.versions.node}`
}

/** Files, and the disk that they are on. */
const ofFiles = Effect.fnUntraced(function*(directory: string) {
  const entries = yield* Effect.result(Backend.withListing(Stream.runCollect(List.list())))
  const stored = entries._tag === "Success" && entries.success.some((entry) => entry._tag !== "Foreign")
  return [
    yield* Health.directory(directory),
    yield* Health.permissions(directory),
    yield* Health.key(directory, stored),
    yield* Health.space(directory),
    versions,
    ...(entries._tag === "Success" ? ofEntries(entries.success, directory) : [failedBy("directory", entries.failure)])
  ]
})

const failedBy = (name: Check["name"], error: unknown): Check => {
  const { next, why } = Explain.explain(error)
  return { name, status: "failed", found: why, next }
}

/** Sessions whose heads are looked at in a database, the newest: there may be any number. */
const looked = 1000

/** A database, and what is in it. */
const ofDatabase = Effect.fnUntraced(function*(place: Place.Database) {
  const { checks, isUsable, sessions } = yield* DatabaseHealth.look(place)
  const key = yield* Health.key(place.directory, sessions > 0)
  if (!isUsable) return [...checks, key, versions]
  const entries = yield* Effect.result(Backend.withListing(Stream.runCollect(List.list({ limit: looked }))))
  const listed = entries._tag === "Success"
    ? ofEntries(entries.success, place.directory).filter(({ name }) => name !== "foreign")
    : [failedBy("database", entries.failure)]
  return [...checks, key, yield* DatabaseHealth.sample(place, key), versions, ...listed]
})

/**
 * Looks at everything, and tells how to mend what is not well.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.doctor")(function*(_input: object) {
  const { isJson, style } = yield* Output.current
  const directory = yield* Where.directory
  const place = yield* Where.place
  const checks = yield* place._tag === "Files" ? ofFiles(place.directory) : ofDatabase(place)
  if (isJson) {
    yield* Output.printJson(CliJson.Doctor, {
      directory: place._tag === "Files" ? place.directory : directory,
      ...(place._tag === "Files" ? {} : { store: Place.shown(place) }),
      checks
    })
  } else {
    const marks = { ok: style.green("ok     "), warning: style.yellow("warning"), failed: style.red("failed ") }
    yield* Output.print(...checks.flatMap(({ found, name, next, status }) => [
      `${marks[status]}  ${Output.pad(name, 11)}  ${found}`,
      ...(next === undefined ? [] : [`                      ${style.dim("do:")} ${next}`])
    ]))
  }
  const failed = checks.filter(({ status }) => status === "failed")
  const [first] = failed
  if (first === undefined) return
  return yield* new Failure({
    kind: "Unwell",
    exitCode: failed.every(({ name }) => name === "broken" || name === "verified") ? ExitCode.broken : ExitCode.failed,
    what: failed.length === 1 ? "One thing is not well." : `${failed.length} things are not well.`,
    why: first.found,
    next: first.next ?? ""
  })
})
