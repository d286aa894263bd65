/**
 * What is told of a copy: for each session, and of all of them.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as CopyFrom from "../pipelines/CopyFrom.ts"
import type * as CliJson from "./CliJson.ts"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Failures from "./Failures.ts"
import * as Place from "./Place.ts"
import * as Printable from "./Printable.ts"
import * as Words from "./Words.ts"

/** What a session is called: its id, where it has one. */
const target = ({ id, name }: CopyFrom.Copy): string => Option.getOrElse(id, () => name)

/**
 * How `reprise` is asked for what is in a place.
 *
 * @category formatting
 * @since 0.1.0
 */
const asking = (to: Place.Place, command: string): string =>
  to._tag === "Files"
    ? `reprise --dir ${Printable.line(to.directory)} ${command}`
    : `reprise --store ${Printable.line(Place.shown(to))} --dir ${Printable.line(to.directory)} ${command}`

const failure = (kind: string, exitCode: ExitCode, what: string, why: string, next: string) =>
  new Failure({ kind, exitCode, what, why, next })

/** A session that can't be verified over there is no matter of that session, but of its key. */
const keyOf = (error: CopyFrom.CopyError): string | undefined =>
  error._tag === "InvalidJson" && error.reason._tag === "UnknownKey" ? error.reason.keyId : undefined

/** Why a session is not there as it is here; nothing where it is. */
const failureOf = (copy: CopyFrom.Copy, to: Place.Place): unknown => {
  const { outcome } = copy
  const id = target(copy)
  switch (outcome._tag) {
    case "Present":
      return undefined
    case "Copied":
      return outcome.isOutdated
        ? failure(
          "Changed",
          ExitCode.busy,
          `Session ${id} was changed while it was copied.`,
          "What was copied is what it was before.",
          `Delete it there and copy again: ${asking(to, `delete ${id}`)}`
        )
        : undefined
    case "Different":
      return failure(
        "Different",
        ExitCode.failed,
        `Session ${id} is there already, and is not the same.`,
        outcome.isOnlyTrash
          ? "One of them is in the trash, and the other is not."
          : Option.match(outcome.found, {
            onNone: () => "What is there can't be verified.",
            onSome: (found) => `It has revision ${found} there, and ${outcome.revision} at its source.`
          }),
        `Nothing was overwritten. See what is there: ${asking(to, `show ${id}`)}`
      )
    case "Skipped":
      switch (outcome.reason) {
        case "running":
        case "elsewhere":
          return failure(
            "Running",
            ExitCode.busy,
            `Session ${id} was left out.`,
            outcome.holder === undefined
              ? "Somebody runs it."
              : `Process ${outcome.holder.pid} on ${Printable.line(outcome.holder.host)} ${
                outcome.reason === "running" ? "runs it" : "may be running it"
              }.`,
            "Close it, and copy again: what was copied stays"
          )
        default:
          return undefined
      }
    case "Failed": {
      const { at, error } = outcome
      const key = keyOf(error)
      return at === "destination" && key !== undefined
        ? failure(
          "InvalidJson/UnknownKey",
          ExitCode.broken,
          `Session ${id} was left out.`,
          `It is signed with the key ${key}, which the key ring beside ${Printable.line(to.directory)} does not have.`,
          to._tag === "Files"
            ? "Copy to a directory beside that key ring, or where there is none yet"
            : "Name the directory that its key ring is beside: --dir DIR"
        )
        : error
    }
  }
}

/**
 * Whether a session is there as it is here.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWell = ({ outcome }: CopyFrom.Copy): boolean =>
  outcome._tag === "Present" || (outcome._tag === "Copied" && !outcome.isOutdated)

/**
 * The failures of a copy.
 *
 * @category formatting
 * @since 0.1.0
 */
export const failures = (
  copies: ReadonlyArray<CopyFrom.Copy>,
  to: Place.Place
): ReadonlyArray<Failures.Failed> =>
  copies.flatMap((copy) => {
    const error = failureOf(copy, to)
    return error === undefined ? [] : [Failures.make(target(copy), error)]
  })

/**
 * What became of a session, in a line.
 *
 * @category formatting
 * @since 0.1.0
 */
export const line = (copy: CopyFrom.Copy): string => {
  const { isRemoved, name, outcome } = copy
  const label = `${target(copy)}  ${Printable.line(name)}${isRemoved ? " (in the trash)" : ""}`
  switch (outcome._tag) {
    case "Copied": {
      const { blobBytes, blobs, bytes, isOutdated, torn } = outcome
      return `copied     ${label}, ${Words.size(bytes)}${
        blobs > 0 ? ` and ${Words.count(blobs, "large part")} (${Words.size(blobBytes)})` : ""
      }${torn > 0 ? `, without ${torn} bytes of a write that was cut short` : ""}${
        isOutdated ? ", as it was before it was changed" : ""
      }`
    }
    case "Present":
      return `there      ${label}`
    case "Different":
      return `different  ${label}`
    case "Skipped":
      return outcome.reason === "foreign"
        ? `left       ${Printable.line(name)}  another format: reprise import ${Printable.line(name)}`
        : `left       ${label}  ${outcome.reason}`
    case "Failed":
      return `failed     ${label}`
  }
}

type Totals = typeof CliJson.CopySummary.Type["totals"]

/**
 * How many sessions came to what.
 *
 * @category formatting
 * @since 0.1.0
 */
export const totals = (copies: ReadonlyArray<CopyFrom.Copy>): Totals => {
  const count = (is: (outcome: CopyFrom.CopyOutcome) => boolean) => copies.filter(({ outcome }) => is(outcome)).length
  return {
    sessions: copies.length,
    copied: count(({ _tag }) => _tag === "Copied"),
    present: count(({ _tag }) => _tag === "Present"),
    different: count(({ _tag }) => _tag === "Different"),
    skipped: count(({ _tag }) => _tag === "Skipped"),
    failed: count(({ _tag }) => _tag === "Failed"),
    bytes: copies.reduce(
      (sum, { outcome }) => sum + (outcome._tag === "Copied" ? outcome.bytes + outcome.blobBytes : 0),
      0
    )
  }
}

/**
 * The same for people.
 *
 * @category formatting
 * @since 0.1.0
 */
export const sum = (
  { bytes, copied, different, failed, present, sessions, skipped }: Totals
): ReadonlyArray<string> => [
  `${Words.count(sessions, "session")}: ${copied} copied and verified (${Words.size(bytes)}), ` +
  `${present} there already, ${different} different, ${skipped} left out, ${failed} failed.`
]

/**
 * How to see what was copied.
 *
 * @category formatting
 * @since 0.1.0
 */
export const howToRead = (to: Place.Place): ReadonlyArray<string> => [`See them: ${asking(to, "list --all")}`]

/**
 * What became of a session, for programs.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (copy: CopyFrom.Copy, to: Place.Place): typeof CliJson.Copied.Type => {
  const { isRemoved, name, outcome } = copy
  const [failed] = failures([copy], to)
  const error = failed === undefined ? {} : { error: Failures.toJson(failed) }
  const session = { id: Option.getOrNull(copy.id), name, isRemoved }
  switch (outcome._tag) {
    case "Copied": {
      const { _tag, ...facts } = outcome
      return { ...session, outcome: "copied", ...facts, ...error }
    }
    case "Present":
      return { ...session, outcome: "present" }
    case "Different":
      return {
        ...session,
        outcome: "different",
        revision: outcome.revision,
        ...(Option.isSome(outcome.found) ? { found: outcome.found.value } : {}),
        ...error
      }
    case "Skipped":
      return { ...session, outcome: outcome.reason, ...error }
    case "Failed":
      return { ...session, outcome: "failed", at: outcome.at, ...error }
  }
}
