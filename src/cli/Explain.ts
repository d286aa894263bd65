/**
 * Errors in three lines, in the words of the command line: what failed, why,
 * and what to do next.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as SessionError from "../core/SessionError.ts"
import { isSessionId } from "../core/SessionId.ts"
import * as Advice from "./Advice.ts"
import * as DatabaseAdvice from "./DatabaseAdvice.ts"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Printable from "./Printable.ts"

/**
 * A failure that can be printed: every text is printable and one line.
 *
 * @category models
 * @since 0.1.0
 */
export interface Explained {
  readonly exitCode: ExitCode
  /** The tag of the error, and of its reason where it has one: `RestoreFailed/AlreadyRunning`. */
  readonly error: string
  readonly what: string
  readonly why: string
  readonly next: string
  readonly candidates?: Failure["candidates"]
}

/** The innermost cause that says something, such as `EACCES: permission denied, open …`. */
const causeOf = (error: unknown): string => {
  let found = ""
  let current = error
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (current.message !== "") found = current.message
    current = Predicate.hasProperty(current, "reason") && current.reason instanceof Error
      ? current.reason
      : current.cause
  }
  return found === "" ? "Nothing more is known." : found
}

const storeAdvice = (why: string): string => {
  if (/ENOENT/.test(why)) return "Name a file or directory that is there."
  if (/EACCES|PermissionDenied|EPERM/.test(why)) return "Check who may read and write there: reprise doctor"
  if (/ENOSPC|EDQUOT/.test(why)) return "Make room on the disk and try again: reprise doctor"
  if (/key ring|keyring/.test(why)) return "Put the key ring back, or mend it: reprise doctor"
  return "What was saved is safe. Mend that and try again: reprise doctor"
}

const broken = ([why, next]: Advice.Advice): Advice.Advice => [why, next, ExitCode.broken]

const ofSession = (error: SessionError.SessionError): readonly [what: string, ...Advice.Advice] => {
  switch (error._tag) {
    case "NotFound":
      return [
        `No stored session ${error.target}.`,
        "It was deleted, or never was.",
        "See what there is: reprise list --all",
        ExitCode.notFound
      ]
    case "InvalidJson": {
      // What was to be imported is named by its file.
      return isSessionId(error.id)
        ? [`Session ${error.id} can't be believed.`, ...broken(Advice.stored(error.reason, error.id))]
        : [`${error.id} was not imported.`, ...broken(Advice.imported(error.reason))]
    }
    case "SchemaVersion":
      return [
        `Session ${error.id} can't be read.`,
        typeof error.found === "number" && error.found > error.supported
          ? `It has version ${error.found}, and this program reads up to ${error.supported}.`
          : `It has no version that this program reads (up to ${error.supported}).`,
        typeof error.found === "number" && error.found > error.supported
          ? "Update the program: npm install -g effect-reprise@latest"
          : "Put the file back from a backup.",
        ExitCode.broken
      ]
    case "RestoreFailed":
      return [`Session ${error.id} was left as it is.`, ...Advice.run(error.reason, error.id)]
    case "CreateFailed":
      return ["The session was not stored.", ...Advice.run(error.reason, "")]
    case "ExportFailed":
      return [`Session ${error.id} was not exported.`, ...Advice.exported(error.reason, error.id)]
    case "EventRejected":
      return [`Session ${error.id} refused the change.`, ...Advice.rejected(error.reason)]
    case "SessionEnded":
      return [`Session ${error.id} has ended.`, ...Advice.ended(error.reason, error.id)]
    case "InvalidBlob":
      return [
        `A large part of session ${error.id} can't be believed.`,
        error.reason._tag === "BlobMissing"
          ? `Blob ${error.digest}${error.messageId === undefined ? "" : ` of message ${error.messageId}`} is missing.`
          : `Blob ${error.digest}${error.messageId === undefined ? "" : ` of message ${error.messageId}`} was changed.`,
        `Put it back from a backup. Everything else can be read: reprise show ${error.id}`,
        ExitCode.broken
      ]
    case "PatternTooSlow":
      return [
        "The expression was stopped.",
        "On some text it takes for ever.",
        "Correct it so that no repetition is inside another one, or search for a text: without --regex"
      ]
    case "StoreError": {
      const database = DatabaseAdvice.of(error.cause)
      if (database !== undefined) return [operationOf(error), database.why, database.next]
      const why = causeOf(error.cause)
      return [operationOf(error), why, storeAdvice(why)]
    }
  }
}

const isSessionError = (error: unknown): error is SessionError.SessionError =>
  error instanceof SessionError.NotFound || error instanceof SessionError.InvalidJson ||
  error instanceof SessionError.SchemaVersion || error instanceof SessionError.RestoreFailed ||
  error instanceof SessionError.CreateFailed || error instanceof SessionError.ExportFailed ||
  error instanceof SessionError.EventRejected || error instanceof SessionError.InvalidBlob ||
  error instanceof SessionError.SessionEnded || error instanceof SessionError.PatternTooSlow ||
  error instanceof SessionError.StoreError

const operationOf = ({ operation }: SessionError.StoreError): string =>
  `${operation[0]?.toUpperCase() ?? ""}${operation.slice(1)} failed.`

/** One tag, or two with the reason's. */
const nameOf = (error: { readonly _tag: string }): string =>
  Predicate.hasProperty(error, "reason") && Predicate.hasProperty(error.reason, "_tag")
    ? `${error._tag}/${String(error.reason._tag)}`
    : error._tag

/** What is wrong with the database, where that is what failed. */
const kindOf = (error: SessionError.SessionError): string => {
  const advice = error._tag === "StoreError" ? DatabaseAdvice.of(error.cause) : undefined
  return advice === undefined ? "" : `/${advice.kind}`
}

/**
 * Explains an expected failure of any command.
 *
 * @category formatting
 * @since 0.1.0
 */
export const explain = (error: unknown): Explained => {
  if (error instanceof Failure) {
    const { candidates, exitCode, kind, next, what, why } = error
    return { exitCode, error: kind, what, why, next, ...(candidates === undefined ? {} : { candidates }) }
  }
  if (isSessionError(error)) {
    const [what, why, next, exitCode = ExitCode.failed] = ofSession(error)
    return {
      exitCode,
      error: `${nameOf(error)}${kindOf(error)}`,
      what: Printable.line(what),
      why: Printable.line(why),
      next: Printable.line(next)
    }
  }
  return {
    exitCode: ExitCode.failed,
    error: Predicate.hasProperty(error, "_tag") ? String(error._tag) : "Unexpected",
    what: "The command failed.",
    why: Printable.line(causeOf(error)),
    next: "Run it again with --verbose to see where it comes from."
  }
}

/**
 * Explains a defect: a mistake of this program.
 *
 * @category formatting
 * @since 0.1.0
 */
export const defect = (error: unknown): Explained => ({
  exitCode: ExitCode.failed,
  error: "Defect",
  what: "The command failed, and should not have.",
  why: Printable.line(causeOf(error)),
  next: "Run it again with --verbose, and report what it says. Stored sessions are as they were."
})
