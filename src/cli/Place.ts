/**
 * Places where sessions are stored, as they are named on the command line. What is
 * shown of one never holds a password.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"

/**
 * Sessions in files below `directory`, or in a database, with keys beside `directory`.
 *
 * @category models
 * @since 0.1.0
 */
export type Place =
  | { readonly _tag: "Files"; readonly directory: string }
  | { readonly _tag: "Sqlite"; readonly directory: string; readonly file: string }
  | {
    readonly _tag: "Postgres"
    readonly directory: string
    readonly url: Redacted.Redacted
    readonly shown: string
    readonly hasPassword: boolean
  }

/**
 * @category models
 * @since 0.1.0
 */
export type Database = Exclude<Place, { readonly _tag: "Files" }>

/** Names the scheme only: everything else may be a secret. */
const unknown = (why: string) =>
  new Failure({
    kind: "NoStore",
    exitCode: ExitCode.usage,
    what: "That names no place for sessions.",
    why,
    next: "Name one: postgres://user@host/database, sqlite:FILE, or a directory"
  })

/** What may be shown of an address: user, host and database. */
const showUrl = ({ host, pathname, protocol, username }: URL): string =>
  `${protocol}//${username === "" ? "" : `${username}@`}${host}${pathname}`

const scheme = /^([a-z][a-z0-9+.-]*):\/\//i

/**
 * Whether it names something else than a directory.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAddress = (text: string): boolean => text.startsWith("sqlite:") || scheme.test(text)

/**
 * @category parsing
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  text: string,
  { cwd, home }: { readonly cwd: string; readonly home: string }
) {
  const path = yield* Path.Path
  if (text === "") return yield* unknown("It is empty.")
  const named = scheme.exec(text)?.[1]?.toLowerCase()
  if (named === "postgres" || named === "postgresql") {
    if (!URL.canParse(text)) return yield* unknown("It begins as the address of a database and is none.")
    const url = new URL(text)
    const place: Place = {
      _tag: "Postgres",
      directory: home,
      url: Redacted.make(text),
      shown: showUrl(url),
      hasPassword: url.password !== "" || url.searchParams.has("password")
    }
    return place
  }
  if (text.startsWith("sqlite:")) {
    const file = text.replace(/^sqlite:(\/\/(?=\/))?/, "")
    if (file === "") return yield* unknown("No file is named behind sqlite:.")
    const place: Place = { _tag: "Sqlite", directory: home, file: path.resolve(cwd, file) }
    return place
  }
  if (named !== undefined) return yield* unknown(`Sessions are not stored by ${named}.`)
  const place: Place = { _tag: "Files", directory: path.resolve(cwd, text) }
  return place
})

/**
 * A place in words.
 *
 * @category formatting
 * @since 0.1.0
 */
export const shown = (place: Place): string => {
  switch (place._tag) {
    case "Files":
      return place.directory
    case "Sqlite":
      return `sqlite:${place.file}`
    case "Postgres":
      return place.shown
  }
}
