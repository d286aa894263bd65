import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { DateTime, Duration, Schema } from "effect"
import { Retention, SessionError, type SessionList, Timestamp } from "effect-reprise"
import { at, id, otherId } from "./documents.ts"

const now = Timestamp.Timestamp.make("2026-06-30T12:00:00.000Z")

const ago = (age: Duration.Input, millis = 0): Timestamp.Timestamp =>
  Timestamp.fromDateTime(DateTime.makeUnsafe(Timestamp.toMillis(now) - Duration.toMillis(age) - millis))

const month = Duration.days(30)

const closed = (closedAt: Timestamp.Timestamp, changes: Partial<SessionList.Stored> = {}): SessionList.Stored => ({
  _tag: "Stored",
  id,
  name: "name",
  projectPath: "/home",
  status: "closed",
  createdAt: at,
  updatedAt: closedAt,
  closedAt,
  messages: 0,
  todosOpen: 0,
  todosDone: 0,
  bytes: 100,
  ...changes
})

const plan = (entry: SessionList.Entry, olderThan: Duration.Duration = month): string => {
  const { purge, remove, skip } = Retention.plan([entry], { now, olderThan })
  strictEqual(purge.length + remove.length + skip.length, 1)
  return remove.includes(closed(at)) || remove.length === 1
    ? "remove"
    : purge.length === 1
    ? "purge"
    : skip[0]?.reason ?? ""
}

describe("Retention.plan", () => {
  it("removes a closed session exactly at the age, and leaves one that is a millisecond younger", () => {
    strictEqual(plan(closed(ago(month))), "remove")
    strictEqual(plan(closed(ago(month, 1))), "remove")
    strictEqual(plan(closed(ago(month, -1))), "recent")
  })

  it("counts from when it was closed, not from when it was created or last changed", () => {
    strictEqual(plan(closed(ago("1 minute"), { createdAt: ago("900 days"), updatedAt: ago("800 days") })), "recent")
    strictEqual(plan(closed(ago("31 days"), { updatedAt: ago("1 minute") })), "remove")
  })

  it("counts from the last change where nobody closed it", () => {
    const { closedAt: _, ...open } = closed(ago(month))
    strictEqual(plan(open), "remove")
    strictEqual(plan({ ...open, updatedAt: ago(month, -1) }), "recent")
  })

  it("purges a removed session exactly at the age since it was removed, and not a millisecond before", () => {
    const removed = (removedAt: Timestamp.Timestamp) => closed(ago("900 days"), { status: "removed", removedAt })
    strictEqual(plan(removed(ago(month))), "purge")
    strictEqual(plan(removed(ago(month, -1))), "recent")
    strictEqual(plan(removed(now)), "recent")
  })

  it("never removes or purges what is younger than a day, however short the age", () => {
    for (const age of [Duration.zero, Duration.millis(1), Duration.hours(23), Duration.days(-5)]) {
      strictEqual(plan(closed(ago("1 day", -1)), age), "recent")
      strictEqual(plan(closed(ago("1 day")), age), "remove")
      const removed = (removedAt: Timestamp.Timestamp) => closed(ago("9 days"), { status: "removed", removedAt })
      strictEqual(plan(removed(ago("1 day", -1)), age), "recent")
      strictEqual(plan(removed(ago("1 day")), age), "purge")
    }
    strictEqual(plan(closed(ago("1 day", 1)), Duration.hours(24)), "remove")
    strictEqual(plan(closed(ago("1 day", 1)), Duration.hours(25)), "recent")
  })

  it("leaves everything for an endless age", () => {
    strictEqual(plan(closed(ago("9000 days")), Duration.infinity), "recent")
  })

  it("leaves a session from the future", () => {
    strictEqual(plan(closed(ago("-40 days"))), "recent")
  })

  it("never touches running, interrupted and elsewhere ones, however old, and says why", () => {
    for (const status of ["running", "interrupted", "elsewhere"] as const) {
      strictEqual(plan(closed(ago("9000 days"), { status })), status)
      strictEqual(plan(closed(ago("9000 days"), { status, removedAt: ago("9000 days") })), status)
    }
  })

  it("never touches what can't be read, outside the trash", () => {
    const error = new SessionError.InvalidJson({ id, reason: new SessionError.Unsigned({}) })
    strictEqual(plan({ _tag: "Broken", id, name: id, error }), "unreadable")
    strictEqual(plan({ _tag: "Foreign", name: `${id}.json`, error }), "unreadable")
  })

  it("purges a broken session that was removed long enough ago", () => {
    const error = new SessionError.InvalidJson({ id, reason: new SessionError.Unsigned({}) })
    strictEqual(plan({ _tag: "Broken", id, name: id, error, removedAt: ago(month) }), "purge")
    strictEqual(plan({ _tag: "Broken", id, name: id, error, removedAt: ago(month, -1) }), "recent")
  })

  const Status = Schema.Literals(["closed", "running", "interrupted", "elsewhere", "removed"])

  it.prop(
    "has a place for every entry, and never one to remove or purge that is younger than a day or not at rest",
    [Schema.Array(Schema.Struct({ status: Status, closedAt: Timestamp.Timestamp })), Schema.Finite],
    ([sessions, days]) => {
      const entries = sessions.map(({ closedAt, status }) =>
        closed(closedAt, { status, removedAt: closedAt, id: otherId })
      )
      const { purge, remove, skip } = Retention.plan(entries, { now, olderThan: Duration.days(days) })
      deepStrictEqual(
        new Set<unknown>([...purge, ...remove, ...skip.map(({ entry }) => entry)]),
        new Set<unknown>(entries)
      )
      strictEqual(purge.length + remove.length + skip.length, entries.length)
      assertTrue(
        remove.every(({ closedAt, status }) =>
          status === "closed" && closedAt !== undefined && closedAt <= ago("1 day")
        )
      )
      assertTrue(purge.every((entry) => entry.removedAt !== undefined && entry.removedAt <= ago("1 day")))
      assertTrue(purge.every((entry) => entry._tag === "Stored" && entry.status === "removed"))
    },
    { arbitrary: { runs: 100, seed: 1 } }
  )
})
