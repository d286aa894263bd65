/**
 * Which session a word means: a number of the list as last shown in this
 * project, a full id, the beginning of one, an exact name, or `last`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SessionId from "../core/SessionId.ts"
import type * as SessionList from "../core/SessionList.ts"
import * as List from "../pipelines/List.ts"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Numbers from "./Numbers.ts"
import * as Printable from "./Printable.ts"
import * as Where from "./Where.ts"

/**
 * What a target can be: a session, or one that can't be read.
 *
 * @category models
 * @since 0.1.0
 */
export type Target = SessionList.Stored | SessionList.Broken

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Sessions in the trash, instead of those that are not. */
  readonly isRemoved?: boolean
}

const isTarget = (entry: SessionList.Entry): entry is Target => entry._tag !== "Foreign"

/** Every session that a target may mean, newest first. */
const all = (options: Options) =>
  Stream.runCollect(List.list(options.isRemoved === true ? { status: ["removed"] } : {})).pipe(
    Effect.map((entries) => entries.filter(isTarget))
  )

const labelOf = (entry: Target): { readonly id: string; readonly name: string } => ({
  id: entry.id,
  name: entry._tag === "Stored" ? Printable.line(entry.name) : "(can't be read)"
})

const named = (word: string) => `"${Printable.line(word)}"`

const listHint = (options: Options): string =>
  options.isRemoved === true ? "reprise list --state removed" : "reprise list --all"

const unknown = (word: string, why: string, entries: ReadonlyArray<Target>, options: Options) => {
  const lower = word.toLowerCase()
  const near = entries.filter((entry) =>
    entry.id.startsWith(lower.slice(0, 4)) ||
    (entry._tag === "Stored" && entry.name.toLowerCase().includes(lower))
  )
  return new Failure({
    kind: "TargetUnknown",
    exitCode: ExitCode.notFound,
    what: `No session ${named(word)}.`,
    why,
    next: `See what there is with ${listHint(options)}.`,
    candidates: (near.length > 0 ? near : entries).slice(0, 5).map(labelOf)
  })
}

const ambiguous = (word: string, matches: ReadonlyArray<Target>) =>
  new Failure({
    kind: "TargetAmbiguous",
    exitCode: ExitCode.notFound,
    what: `${named(word)} is not one session.`,
    why: `${matches.length} sessions answer to it.`,
    next: "Name one by its id, or by more of it.",
    candidates: matches.slice(0, 10).map(labelOf)
  })

const one = (word: string, matches: ReadonlyArray<Target>) => {
  const [first, ...others] = matches
  if (first === undefined) return Option.none<Effect.Effect<Target, Failure>>()
  return Option.some(others.length === 0 ? Effect.succeed(first) : Effect.fail(ambiguous(word, matches)))
}

const byNumber = Effect.fnUntraced(function*(word: string, entries: ReadonlyArray<Target>, options: Options) {
  const stale = (why: string) =>
    new Failure({
      kind: "TargetNumberStale",
      exitCode: ExitCode.notFound,
      what: `No session has the number ${word}.`,
      why,
      next: "Show the list again with reprise list, and use its numbers."
    })
  const shown = yield* Numbers.shown
  if (Option.isNone(shown)) return yield* stale("No list was shown in this project yet.")
  const id = shown.value[Number(word) - 1]
  if (id === undefined) {
    return yield* stale(`The list that was last shown in this project has ${shown.value.length} entries.`)
  }
  if (id === null) return yield* stale("What was shown there is a file of another format, not a session.")
  const entry = entries.find((entry) => entry.id === id)
  if (entry !== undefined) return entry
  return yield* stale(
    options.isRemoved === true
      ? `What was shown there, ${id}, is not in the trash.`
      : `What was shown there, ${id}, is gone or in the trash.`
  )
})

/**
 * The session that a word means.
 *
 * **Details**
 *
 * One to four digits are always a number, and `last` is always the newest
 * session of this project. A name is looked for in this project, then in all.
 * A word that means none or several fails with the sessions it may have meant.
 *
 * @category resolving
 * @since 0.1.0
 */
export const resolve = Effect.fn("Target.resolve")(function*(word: string, options: Options = {}) {
  const entries = yield* all(options)
  if (/^[1-9]\d{0,3}$/.test(word)) return yield* byNumber(word, entries, options)

  const project = yield* Where.project()
  const isHere = (entry: Target) => entry._tag === "Stored" && entry.projectPath === project
  if (word === "last") {
    const newest = entries.find(isHere)
    if (newest !== undefined) return newest
    return yield* unknown(
      word,
      `This project has ${options.isRemoved === true ? "none in the trash" : "none"}.`,
      entries,
      options
    )
  }

  const wanted = word.toLowerCase()
  if (SessionId.isSessionId(wanted)) {
    const found = entries.find((entry) => entry.id === wanted)
    if (found !== undefined) return found
    return yield* unknown(word, "No stored session has this id.", entries, options)
  }

  const withName = entries.filter((entry) => entry._tag === "Stored" && entry.name === word)
  const here = withName.filter(isHere)
  const withPrefix = /^[0-9a-f-]+$/.test(wanted) ? entries.filter((entry) => entry.id.startsWith(wanted)) : []
  const matches = [...new Set([...(here.length > 0 ? here : withName), ...withPrefix])]
  return yield* Option.getOrElse(
    one(word, matches),
    () => Effect.fail(unknown(word, "No id begins so, and no name is exactly this.", entries, options))
  )
})
