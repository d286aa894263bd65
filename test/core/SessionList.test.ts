import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Schema } from "effect"
import { SessionError, SessionId, SessionList, Timestamp } from "effect-reprise"
import { at, id, later, otherId } from "./documents.ts"

const stored = (changes: Partial<SessionList.Stored> = {}): SessionList.Stored => ({
  _tag: "Stored",
  id,
  name: "name",
  projectPath: "/home",
  status: "closed",
  createdAt: at,
  updatedAt: at,
  messages: 0,
  todosOpen: 0,
  todosDone: 0,
  bytes: 100,
  ...changes
})

const broken = (brokenId = id): SessionList.Broken => ({
  _tag: "Broken",
  id: brokenId,
  name: brokenId,
  error: new SessionError.InvalidJson({ id: brokenId, reason: new SessionError.Unsigned({}) })
})

const foreign = (name: string): SessionList.Foreign => ({
  _tag: "Foreign",
  name,
  error: new SessionError.InvalidJson({ id: name, reason: new SessionError.Unsigned({}) })
})

const Status = Schema.Literals(["closed", "running", "interrupted", "elsewhere", "removed"])

const nameOf = (entry: SessionList.Entry): string => entry._tag === "Stored" ? entry.id : entry.name

const entries: Arbitrary.Arbitrary<ReadonlyArray<SessionList.Entry>> = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all({
      id: Arbitrary.schema(SessionId.SessionId),
      kind: Arbitrary.schema(Schema.Literals(["Stored", "Broken", "Foreign"])),
      status: Arbitrary.schema(Status),
      updatedAt: Arbitrary.schema(Schema.Literals(["2026-01-31T09:30:00.000Z", "2026-02-01T10:00:00.000Z"])),
      projectPath: Arbitrary.schema(Schema.Literals(["/home", "/Home/Ünï", "/else"]))
    }),
    { maxLength: 12 }
  ),
  (all) =>
    all.map(({ id, kind, projectPath, status, updatedAt }): SessionList.Entry =>
      kind === "Stored"
        ? stored({ id, status, projectPath, updatedAt: Timestamp.Timestamp.make(updatedAt) })
        : kind === "Broken"
        ? broken(id)
        : foreign(`${id}.json`)
    )
)

describe("SessionList.select", () => {
  it("puts the newest first, whenever it was created", () => {
    const old = stored({ id: otherId, updatedAt: at, createdAt: later })
    const young = stored({ updatedAt: later, createdAt: at })
    deepStrictEqual(SessionList.select([old, young]), [young, old])
    deepStrictEqual(SessionList.select([young, old]), [young, old])
  })

  it("lets the id decide between equals", () => {
    const first = stored({ id: otherId })
    const second = stored()
    deepStrictEqual(SessionList.select([second, first]), [first, second])
    deepStrictEqual(SessionList.select([first, second]), [first, second])
  })

  it("puts what can't be read last, by name", () => {
    const one = broken(otherId)
    const two = foreign(`${id}.json`)
    deepStrictEqual(SessionList.select([two, one, stored()]), [stored(), one, two])
  })

  it.prop("gives the same order for the same entries, in whatever order they come", [entries], ([entries]) => {
    const names = (of: ReadonlyArray<SessionList.Entry>) => SessionList.select(of).map(nameOf)
    deepStrictEqual(names(entries.toReversed()), names(entries))
    deepStrictEqual(names(SessionList.select(entries)), names(entries))
  }, { arbitrary: { runs: 100, seed: 1 } })

  it.prop("compares in a total order", [entries], ([entries]) => {
    for (const self of entries) {
      strictEqual(SessionList.newestFirst(self, self), 0)
      for (const that of entries) {
        strictEqual(SessionList.newestFirst(self, that) + SessionList.newestFirst(that, self), 0)
        for (const third of entries) {
          if (SessionList.newestFirst(self, that) <= 0 && SessionList.newestFirst(that, third) <= 0) {
            assertTrue(SessionList.newestFirst(self, third) <= 0)
          }
        }
      }
    }
  }, { arbitrary: { runs: 40, seed: 2 } })

  it.prop("hides nothing but removed sessions unless it is asked to", [entries], ([entries]) => {
    const shown = SessionList.select(entries)
    const hidden = entries.filter((entry) => !shown.includes(entry))
    assertTrue(hidden.every((entry) => entry._tag === "Stored" && entry.status === "removed"))
    assertTrue(shown.every((entry) => entry._tag !== "Stored" || entry.status !== "removed"))
    strictEqual(shown.length + hidden.length, entries.length)
  }, { arbitrary: { runs: 60, seed: 3 } })

  it.prop("gives every entry on exactly one page", [entries], ([entries]) => {
    const all = SessionList.select(entries)
    for (const limit of [1, 2, 5]) {
      const pages = Array.from(
        { length: Math.ceil(all.length / limit) + 1 },
        (_, page) => SessionList.select(entries, { offset: page * limit, limit })
      )
      deepStrictEqual(pages.flat(), all)
      assertTrue(pages.every((page) => page.length <= limit))
    }
  }, { arbitrary: { runs: 60, seed: 4 } })

  const many = ["a", "b", "c"].map((name, index) =>
    stored({ name, id: SessionId.make(id.replace(/^./, String(index))) })
  )

  it("cuts a page out of the list, and gives nothing beyond its end", () => {
    const names = (filter: SessionList.Filter) =>
      SessionList.select(many, filter).flatMap((entry) => entry._tag === "Stored" ? [entry.name] : [])
    deepStrictEqual(names({ limit: 2 }), ["a", "b"])
    deepStrictEqual(names({ offset: 1 }), ["b", "c"])
    deepStrictEqual(names({ offset: 1, limit: 1 }), ["b"])
    deepStrictEqual(names({ limit: 0 }), [])
    deepStrictEqual(names({ offset: 3 }), [])
    deepStrictEqual(names({ offset: 99, limit: 5 }), [])
    deepStrictEqual(names({ limit: Infinity }), ["a", "b", "c"])
  })

  it("takes a page that begins before the list from its beginning on, and one of less than nothing for none", () => {
    const names = (filter: SessionList.Filter) =>
      SessionList.select(many, filter).flatMap((entry) => entry._tag === "Stored" ? [entry.name] : [])
    deepStrictEqual(names({ offset: -2 }), ["a", "b", "c"])
    deepStrictEqual(names({ offset: -2, limit: 2 }), ["a", "b"])
    deepStrictEqual(names({ limit: -1 }), [])
  })

  it("filters by project as text, exactly", () => {
    const inside = stored({ id: otherId, projectPath: "/home/inside" })
    deepStrictEqual(SessionList.select([stored(), inside], { project: "/home" }), [stored()])
    deepStrictEqual(SessionList.select([stored(), inside], { project: "/home/" }), [])
    deepStrictEqual(SessionList.select([stored(), inside], { project: "/WORK" }), [])
  })

  it("filters by status, and shows removed sessions only where that is asked for", () => {
    const statuses = ["closed", "running", "interrupted", "elsewhere", "removed"] as const
    const all = statuses.map((status, index) => stored({ status, id: SessionId.make(id.replace(/^./, String(index))) }))
    const shown = (status: ReadonlyArray<SessionList.Status>) =>
      SessionList.select(all, { status }).flatMap((entry) => entry._tag === "Stored" ? [entry.status] : [])
    for (const status of statuses) deepStrictEqual(shown([status]), [status])
    deepStrictEqual(shown(["removed", "running"]), ["running", "removed"])
    deepStrictEqual(shown([]), [])
    deepStrictEqual(SessionList.select(all).length, 4)
  })

  it("looks for text in name and project path, whatever the case, and takes it literally", () => {
    const entry = stored({ name: "Fix the PARSER", projectPath: "/home/Åsa/repo.git" })
    for (const text of ["parser", "FIX THE", "åsa", "ÅSA", "repo.git", ""]) {
      deepStrictEqual(SessionList.select([entry], { text }), [entry])
    }
    for (const text of ["parsers", "repo_git", "fix.*parser", "closed", id]) {
      deepStrictEqual(SessionList.select([entry], { text }), [])
    }
  })

  it("holds all filters at once", () => {
    const entry = stored({ status: "running" })
    const all: SessionList.Filter = { project: "/home", status: ["running"], text: "NAME" }
    deepStrictEqual(SessionList.select([entry], all), [entry])
    deepStrictEqual(SessionList.select([entry], { ...all, project: "/else" }), [])
    deepStrictEqual(SessionList.select([entry], { ...all, status: ["closed"] }), [])
    deepStrictEqual(SessionList.select([entry], { ...all, text: "other" }), [])
  })

  it("shows what can't be read unless a project, status or text is asked for", () => {
    const unreadable = [broken(otherId), foreign(`${id}.json`)]
    deepStrictEqual(SessionList.select(unreadable), unreadable)
    for (
      const filter of [{ project: "/home" }, { text: "" }, { status: ["closed"] }] satisfies Array<SessionList.Filter>
    ) {
      deepStrictEqual(SessionList.select(unreadable, filter), [])
    }
  })

  it("shows a broken session in the trash with the others there, and nowhere else", () => {
    const removed: SessionList.Broken = { ...broken(otherId), removedAt: at }
    deepStrictEqual(SessionList.select([removed]), [])
    deepStrictEqual(SessionList.select([removed], { status: ["removed"] }), [removed])
    deepStrictEqual(SessionList.select([removed], { status: ["closed"] }), [])
  })

  it("does not change what it is given", () => {
    const given = [stored({ updatedAt: at }), stored({ id: otherId, updatedAt: later })]
    const before = [...given]
    SessionList.select(given)
    deepStrictEqual(given, before)
  })
})
