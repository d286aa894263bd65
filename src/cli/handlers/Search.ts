/**
 * What `reprise search` does.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as CoreSearch from "../../core/Search.ts"
import type { Role } from "../../core/Session.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import * as Search from "../../pipelines/Search.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import * as Failures from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import type { Style } from "../Style.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly text: string
  readonly regex: boolean
  readonly case: "ignore" | "smart" | "exact"
  readonly role: ReadonlyArray<Role>
  readonly tools: boolean
  readonly all: boolean
  readonly project: Option.Option<string>
  readonly state: ReadonlyArray<SessionList.Status>
  readonly limit: Option.Option<number>
  readonly context: number
  readonly ndjson: boolean
}

const unusable = (why: string, next: string) =>
  new Failure({
    kind: "SearchUnusable",
    exitCode: ExitCode.usage,
    what: "That can't be searched for.",
    why: Printable.line(why),
    next
  })

const parse = (source: string, flags: string) =>
  Effect.try({
    try: () => new RegExp(source, flags),
    catch: (error) =>
      unusable(error instanceof Error ? `${error.message}.` : "", "Correct it, or search for a text: without --regex")
  })

/** What is looked for. Letters beyond the first plane are one character each, where the expression allows to say so. */
const patternOf = Effect.fnUntraced(function*({ case: matchCase, regex, text }: Input) {
  if (text === "") return yield* unusable("It is empty.", "Say what to look for.")
  if (!regex) return text
  const isExact = matchCase === "exact" || (matchCase === "smart" && text !== text.toLowerCase())
  const flags = isExact ? "" : "i"
  return yield* Effect.catch(parse(text, `${flags}u`), () => parse(text, flags))
})

const spoken: ReadonlyArray<CoreSearch.Place> = ["text", "reasoning"]

const placeOf = ({ place, tool = "" }: Search.Match): string => {
  switch (place) {
    case "text":
      return ""
    case "reasoning":
      return "reasoning"
    case "tool-call":
      return `→ ${Printable.line(tool)}`
    case "tool-result":
      return `← ${Printable.line(tool)}`
  }
}

/** The end of a text, in so many cells. */
const lastOf = (text: string, cells: number): string => {
  if (Output.width(text) <= cells) return text
  const kept: Array<string> = []
  let room = cells - 1
  for (const one of Output.graphemes(text).toReversed()) {
    room -= Output.width(one)
    if (room < 0) break
    kept.push(one)
  }
  return cells < 1 ? "" : `…${kept.toReversed().join("")}`
}

/** A match in one line that fits, with what is around it. */
const line = (match: Search.Match, cells: number, style: Style): string => {
  const { number, role } = match
  const head = [`#${number}`, role, placeOf(match)].filter((word) => word !== "").join("  ")
  const room = Math.max(12, cells - Output.width(head) - 4)
  const text = Output.truncate(Printable.line(match.text), room)
  const left = room - Output.width(text)
  const before = Printable.line(match.before).trimStart()
  const after = Printable.line(match.after).trimEnd()
  const shownBefore = lastOf(before, Math.max(Math.floor(left / 2), left - Output.width(after)))
  const shownAfter = Output.truncate(after, left - Output.width(shownBefore))
  return `  ${style.dim(head)}  ${shownBefore}${style.yellow(style.bold(text))}${shownAfter}`
}

/** What is above the matches of a session: what it is, and how to go on with it. */
const header = ({ id, name, status, updatedAt }: SessionList.Stored, now: number, style: Style) => [
  `${style.bold(Printable.line(name))}  ${
    style.dim(`${status}, ${Words.ago(Timestamp.toMillis(updatedAt), now)}`)
  }  reprise ${status === "removed" ? "restore" : "resume"} ${id.slice(0, 8)}`
]

const toJson = ({ _tag, session, text, ...found }: Search.Match): typeof CliJson.Match.Type => ({
  id: session.id,
  name: session.name,
  state: session.status,
  project: session.projectPath,
  updatedAt: session.updatedAt,
  ...found,
  match: text
})

const failedOf = ({ entry, error }: Search.Unsearched): Failures.Failed =>
  Failures.make(entry._tag === "Foreign" ? entry.name : entry.id, error)

const nothing = ({ all }: Input, failed: ReadonlyArray<Failures.Failed>) =>
  new Failure({
    kind: "NothingFound",
    exitCode: ExitCode.failed,
    what: "Nothing was found.",
    why: failed.length === 0
      ? "No session has it."
      : `No session has it, but ${Words.count(failed.length, "session")} could not be searched.`,
    next: all ? "Search for less of it." : "Search every project: --all"
  })

/**
 * Searches sessions, and prints matches as they are found.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.search")(function*(input: Input) {
  const { columns, isJson, style } = yield* Output.current
  const { ndjson, role, state, tools } = input
  const text = yield* patternOf(input)
  const project = input.all ? undefined : yield* Where.project(Option.getOrUndefined(input.project))
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  const limit = Option.getOrElse(input.limit, () => Infinity)
  const matches: Array<typeof CliJson.Match.Type> = []
  const failed: Array<Failures.Failed> = []
  let found = 0
  let last = ""

  const show = Effect.fnUntraced(function*(match: Search.Match) {
    found++
    if (found > limit) return
    if (ndjson) return yield* Output.printJson(CliJson.Match, toJson(match), { isOneLine: true })
    if (isJson) return void matches.push(toJson(match))
    const isNew = last !== match.session.id
    const lines = isNew ? [...(last === "" ? [] : [""]), ...header(match.session, now, style)] : []
    last = match.session.id
    yield* Output.print(...lines, line(match, columns, style))
  })

  yield* Stream.runForEach(
    Search.search({
      text,
      matchCase: input.case,
      context: input.context,
      ...(role.length > 0 ? { roles: role } : {}),
      ...(tools ? {} : { places: spoken }),
      ...(project === undefined ? {} : { project }),
      ...(state.length > 0 ? { status: state } : {}),
      // One more tells whether there are others.
      ...(Option.isSome(input.limit) ? { limit: limit + 1 } : {})
    }),
    (result) =>
      result._tag === "Match" ? show(result) : Effect.sync(() => {
        failed.push(failedOf(result))
      })
  )

  const isCut = found > limit
  if (isJson && !ndjson) {
    yield* Output.printJson(CliJson.Search, {
      project: project ?? null,
      matches,
      isCut,
      failed: failed.map(Failures.toJson)
    })
  } else if (failed.length > 0) yield* Output.note(...failed.flatMap(Failures.lines))
  if (isCut && !isJson && !ndjson) yield* Output.note(`There are more: --limit ${limit * 2}`)
  if (found === 0) return yield* nothing(input, failed)
}, Backend.withSessions)
