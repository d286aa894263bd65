/**
 * How a run tells what went wrong: three lines on standard error, or one object
 * of JSON; where errors come from only with `--verbose`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stdio from "effect/Stdio"
import * as Addresses from "./Addresses.ts"
import { ExitCode } from "./ExitCode.ts"
import type { Explained } from "./Explain.ts"
import * as Output from "./Output.ts"
import * as Printable from "./Printable.ts"
import * as Style from "./Style.ts"

/**
 * What was typed of the shared flags, read before anything is parsed: an error
 * of parsing must be told in the same way as any other.
 */
const flagsOf = (args: ReadonlyArray<string>) => {
  const end = args.indexOf("--")
  const flags = end < 0 ? args : args.slice(0, end)
  const color = flags.findLast((flag, index) => flag.startsWith("--color=") || flags[index - 1] === "--color")
  return {
    isJson: flags.includes("--json") || flags.includes("--ndjson"),
    isVerbose: flags.includes("--verbose"),
    color: color?.replace("--color=", "") ?? "auto"
  }
}

const styleOf = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const { color } = flagsOf(args)
  if (color === "always") return Style.colored
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const isPlain = color === "never" || !(yield* stderrIsTerminal) ||
    (yield* Output.environment("TERM")) === "dumb" || (yield* Output.environment("NO_COLOR")) !== ""
  return isPlain ? Style.plain : Style.colored
})

/** Errors of parsing: what is wrong, and the help that tells what is right. */
const usage = (errors: ReadonlyArray<CliError.CliError>, commandPath: ReadonlyArray<string>): Explained => {
  const [first, ...others] = errors
  const [what = "", ...why] = (first?.message ?? "").split("\n").map((line) => line.trim()).filter((line) =>
    line !== ""
  )
  return {
    exitCode: ExitCode.usage,
    error: `Usage/${first?._tag ?? "ShowHelp"}`,
    what: `${Printable.line(what).replace(/\.$/, "")}.`,
    why: why.length > 0
      ? Printable.line(why.join(" "))
      : others.length > 0
      ? others.map(({ message }) => Printable.line(message)).join(" ")
      : "What was typed is not a command.",
    next: `See how it is used: ${commandPath.join(" ")} --help`
  }
}

/** What was typed may be in what is told about it. */
const printError = (text: string) => Console.error(Addresses.withoutPasswords(text))

const print = Effect.fnUntraced(function*(explained: Explained, args: ReadonlyArray<string>) {
  const { isJson } = flagsOf(args)
  const { candidates, error, exitCode, next, what, why } = explained
  if (isJson) {
    return yield* printError(
      Printable.json(JSON.stringify({ error: { error, exitCode, what, why, next, ...(candidates && { candidates }) } }))
    )
  }
  const style = yield* styleOf(args)
  yield* printError(
    [
      `${style.red("error:")} ${what}`,
      `  why: ${why}`,
      ...(candidates ?? []).map(({ id, name }) => `       ${id}  ${name}`),
      `  do:  ${next}`
    ].join("\n")
  )
})

/** Whether help, on standard output, is colored. */
const isColored = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const { color } = flagsOf(args)
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  return color === "always" || (color !== "never" && (yield* stdoutIsTerminal) &&
    (yield* Output.environment("TERM")) !== "dumb" && (yield* Output.environment("NO_COLOR")) === "")
})

/**
 * Help and version as Effect formats them; errors of parsing as all others.
 *
 * @category presenting
 * @since 0.1.0
 */
export const presenter = (args: ReadonlyArray<string>, stdio: Stdio.Stdio): CliOutput.Presenter => ({
  present: (event) =>
    Effect.gen(function*() {
      if (event._tag === "InvalidInvocation") return yield* print(usage(event.errors, event.commandPath), args)
      const { formatHelpDoc, formatVersion } = CliOutput.defaultFormatter({ colors: yield* isColored(args) })
      yield* Console.log(
        event._tag === "Help" ? formatHelpDoc(event.helpDoc) : formatVersion(event.name, event.version)
      )
    }).pipe(Effect.provideService(Stdio.Stdio, stdio))
})

/** The exit code of an expected failure. */
const exitCodeOf = (error: unknown): Effect.Effect<ExitCode> => {
  if (CliError.isCliError(error)) {
    return Effect.succeed(error._tag === "ShowHelp" && error.errors.length === 0 ? ExitCode.done : ExitCode.usage)
  }
  return Effect.map(Effect.promise(() => import("./Explain.ts")), ({ explain }) => explain(error).exitCode)
}

/**
 * Tells why a run failed, and what it ends with.
 *
 * @category reporting
 * @since 0.1.0
 */
export const report = Effect.fnUntraced(function*(cause: Cause.Cause<unknown>, args: ReadonlyArray<string>) {
  const error = Cause.findErrorOption(cause)
  if (Option.isNone(error) && Cause.hasInterruptsOnly(cause)) return ExitCode.interrupted
  // The presenter told about it.
  if (Option.isSome(error) && CliError.isCliError(error.value)) return yield* exitCodeOf(error.value)
  const { defect, explain } = yield* Effect.promise(() => import("./Explain.ts"))
  const explained = Option.match(error, { onNone: () => defect(Cause.squash(cause)), onSome: explain })
  yield* print(explained, args)
  if (flagsOf(args).isVerbose) yield* printError(Cause.pretty(cause).split("\n").flatMap(Printable.lines).join("\n"))
  return explained.exitCode
})

const logger = (args: ReadonlyArray<string>) => {
  const { isJson } = flagsOf(args)
  return Logger.make(({ cause, fiber, logLevel, message }) => {
    const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const facts = { ...annotations, ...(cause.reasons.length > 0 ? { cause: Cause.pretty(cause) } : {}) }
    const level = logLevel === "Warn" ? "warning" : logLevel.toLowerCase()
    const line = isJson
      ? Printable.json(JSON.stringify({ [level]: { message: text, ...facts } }))
      : Printable.line(
        [`${level}: ${text}`, ...Object.entries(facts).map(([key, value]) => `${key}=${value}`)].join(" ")
      )
    fiber.getRef(Console.Console).error(Addresses.withoutPasswords(line))
  })
}

/**
 * Logs on standard error: warnings, and all of it with `--verbose`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerLogger = (args: ReadonlyArray<string>): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([logger(args)]),
    Layer.succeed(References.MinimumLogLevel, flagsOf(args).isVerbose ? "Debug" : "Warn")
  )
