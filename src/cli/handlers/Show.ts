/**
 * What `reprise show` does.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Blob from "../../core/Blob.ts"
import type { Message } from "../../core/Session.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import * as Load from "../../pipelines/Load.ts"
import * as Materialise from "../../pipelines/Materialise.ts"
import * as SessionStore from "../../services/SessionStore.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Pager from "../Pager.ts"
import * as Printable from "../Printable.ts"
import * as Target from "../Target.ts"
import * as Transcript from "../Transcript.ts"
import * as Words from "../Words.ts"
import { wrap } from "../Wrap.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: string
  readonly tail: Option.Option<number>
  readonly full: boolean
  readonly raw: boolean
  readonly pager: boolean
}

const header = (
  { report, state: { conversation, session } }: Load.LoadedSession,
  { cells, now, style }: Transcript.Options
): ReadonlyArray<string> => {
  const since = Words.ago(Timestamp.toMillis(session.updatedAt), now)
  const holder = Option.match(report.holder, {
    onNone: () => "",
    onSome: ({ host, pid }) =>
      report.status === "running" || report.status === "elsewhere"
        ? ` in process ${pid} on ${Printable.line(host)}`
        : ""
  })
  const { maxTokens, model, provider, temperature } = session.config
  const facts = [
    `${report.status}${holder} · ${since} · ${Words.count(conversation.length, "message")} · ${
      Words.size(report.bytes)
    }`,
    Printable.line(session.projectPath),
    Printable.line(`${provider} ${model}, temperature ${temperature}, ${maxTokens} tokens`),
    session.id,
    ...(session.parent === undefined
      ? []
      : [`Fork of ${session.parent.id}, from message ${session.parent.messages} on`])
  ]
  const torn = report.torn > 0
    ? wrap(`The last ${report.torn} bytes were a write that was cut short, and are left out.`, cells)
    : []
  return [
    ...wrap(Printable.line(session.name), cells).map(style.bold),
    ...facts.flatMap((fact) => wrap(fact, cells)).map(style.dim),
    ...torn.map(style.yellow)
  ]
}

const shown = (
  loaded: Load.LoadedSession,
  conversation: Load.LoadedSession["state"]["conversation"],
  options: Transcript.Options
): ReadonlyArray<string> => {
  const { state } = loaded
  const left = state.conversation.length - conversation.length
  const usage = Transcript.usage(state.usage)
  return [
    ...header(loaded, options),
    "",
    ...(left > 0 ? [options.style.dim(`(${Words.count(left, "message")} before)`), ""] : []),
    ...Transcript.messages(conversation, { ...options, from: left + 1 }),
    ...(state.todos.length > 0 ? ["", options.style.bold("Todos"), ...Transcript.todos(state.todos, options)] : []),
    ...(usage.length > 0 ? ["", options.style.bold("Usage"), ...usage.map((line) => `  ${line}`)] : [])
  ]
}

const text = new TextDecoder()

/** The stored files as they are, but for what a terminal would act on. */
const raw = Effect.fnUntraced(function*(target: Target.Target) {
  const { journals, snapshot } = yield* SessionStore.SessionStore.use(({ read }) => read(target.id))
  yield* Output.print(...[snapshot, ...journals].map((bytes) => Printable.json(text.decode(bytes)).replace(/\n$/, "")))
})

const isFile = ({ at }: Blob.Reference): boolean => at.length === 3 && at[2] === "data"

/** A message with what tools were given and returned; what can't be read of it is left as it is stored. */
const whole = (id: Target.Target["id"], message: Message) =>
  Blob.references(message).every(isFile) ? Effect.succeed(message) : Effect.catchTag(
    Materialise.materialise(id, message),
    "InvalidBlob",
    () => Effect.succeed(message)
  )

const loaded = Effect.fnUntraced(function*(target: Target.Target, input: Input) {
  const output = yield* Output.current
  const session = yield* Load.load(target.id)
  const { report, state } = session
  const conversation = Option.match(input.tail, {
    onNone: () => state.conversation,
    onSome: (count) => count === 0 ? [] : state.conversation.slice(-count)
  })
  if (output.isJson) {
    return yield* Output.printJson(CliJson.Show, {
      state: report.status,
      bytes: report.bytes,
      torn: report.torn,
      ...Option.match(report.closedAt, { onNone: () => ({}), onSome: (closedAt) => ({ closedAt }) }),
      ...Option.match(report.holder, { onNone: () => ({}), onSome: ({ host, pid }) => ({ holder: { host, pid } }) }),
      session: { ...state, conversation }
    })
  }
  const told = input.full
    ? yield* Effect.forEach(conversation, (message) => whole(target.id, message))
    : conversation
  const lines = shown(session, told, {
    style: output.style,
    cells: output.columns,
    now: DateTime.toEpochMillis(yield* DateTime.now),
    isFull: input.full
  })
  yield* input.pager ? Pager.print(lines) : Output.print(...lines)
})

/**
 * Shows a session as people, programs, or nobody but the disk sees it.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.show")(function*(input: Input) {
  const target = yield* Backend.withListing(Target.resolve(input.target))
  yield* input.raw ? Backend.withListing(raw(target)) : Backend.withSessions(loaded(target, input))
})
