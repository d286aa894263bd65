/**
 * A session of this library, of a conversation that another agent had.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import type { Message, SessionConfig, SessionState } from "../Session.ts"
import * as Session from "../Session.ts"
import type * as SessionId from "../SessionId.ts"
import * as StateSize from "../StateSize.ts"
import type { Timestamp } from "../Timestamp.ts"
import * as Conversation from "./Conversation.ts"
import * as Fields from "./Fields.ts"
import * as Fit from "./Fit.ts"
import type { Reader } from "./History.ts"
import * as Lane from "./Lane.ts"
import type * as Tally from "./Tally.ts"
import type { Conversation as Finished } from "./Transcript.ts"

/**
 * What the place that it comes to says about it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly id: SessionId.SessionId
  /** The agent's own id of it. */
  readonly original: string
  /** The session here that it comes from. */
  readonly parent: SessionId.SessionId | undefined
  readonly projectPath: string
  /** The name of the file. */
  readonly file: string
  /** Bytes that it may have. */
  readonly budget: number
  readonly now: Timestamp
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Recovered {
  readonly state: SessionState
  readonly counts: Tally.Counts
  /** Messages that are older than what fits. */
  readonly leftOut: number
}

type Told = Conversation.Told<Lane.Entry>

/** A message, and the records that it is made of. */
interface Made {
  readonly message: Message
  readonly sources: ReadonlyArray<Lane.Entry>
}

/** Model settings that no history tells. */
const unknown = { temperature: 0.7, maxTokens: 4096 }

const label = (text: string | undefined, fallback: string): string => {
  const short = (text ?? "").trim().slice(0, 256).toWellFormed()
  return short === "" ? fallback : short
}

const configOf = ({ model, provider }: Finished["facts"], reader: Reader): SessionConfig => ({
  provider: label(provider, reader.provider),
  model: label(model, "none"),
  ...unknown
})

/** A name that no message before it has. */
const nameOf = (wanted: string, used: Set<string>): string => {
  let name = wanted
  for (let count = 2; used.has(name); count++) name = `${wanted}~${count}`
  used.add(name)
  return name
}

const messagesOf = (told: ReadonlyArray<Told>, begun: Timestamp): ReadonlyArray<Made> => {
  const used = new Set<string>()
  let at = begun
  return told.map((each) => {
    at = each.at ?? at
    const message: Message = {
      id: nameOf(label(each.id, `record-${each.sources[0]?.at ?? 0}`), used),
      role: each.role,
      content: each.parts,
      timestamp: at,
      ...(each.usage === undefined ? {} : { usage: each.usage }),
      ...(Object.keys(each.metadata).length === 0 ? {} : { metadata: each.metadata })
    }
    return { message, sources: each.sources }
  })
}

const metadataOf = (finished: Finished, reader: Reader, setting: Setting, leftOut: number): JsonObject => ({
  history: Fields.known({
    ...finished.facts.metadata,
    from: reader.kind,
    id: setting.original,
    file: setting.file,
    agent: finished.agent,
    parent: setting.parent,
    cwd: finished.facts.cwd,
    leftOut: leftOut === 0 ? undefined : leftOut,
    records: finished.kept.length === 0 ? undefined : finished.kept
  })
})

/** What is left of a longer history begins with a turn, or at least not with the end of one. */
const whole = ({ before, passed, pieces: held, tally }: Finished) => {
  if (passed === 0 && before === undefined) return { pieces: held, cut: 0 }
  const beginning = before?.said.map((said) => ({ said, source: before })) ?? []
  const turn = held.findIndex(({ said }) => said.role === "user")
  // A turn that goes on from before what is held begins with what the person said.
  const pieces = [...beginning, ...held]
  const from = beginning.length + (turn >= 0 ? turn : Math.max(0, held.findIndex(({ said }) => said.role !== "tool")))
  const kept = new Set([...(turn >= 0 ? [] : beginning), ...pieces.slice(from)].map(({ source }) => source))
  for (const source of new Set(pieces.map(({ source }) => source))) {
    if (!kept.has(source)) tally.skipped(Lane.tooOld, source.at, source.records)
  }
  const left = pieces.filter(({ source }) => kept.has(source))
  return { pieces: left, cut: pieces.length - left.length }
}

/** Counts each record that told something, once. */
const count = (
  pieces: Finished["pieces"],
  tally: Tally.Tally,
  made: ReadonlyArray<Made>,
  kept: ReadonlyArray<Made>
): void => {
  const inSession = new Set(kept.flatMap(({ sources }) => sources))
  const inConversation = new Set(made.flatMap(({ sources }) => sources))
  for (const source of new Set(pieces.map(({ source }) => source))) {
    const { at, records, said } = source
    if (inSession.has(source)) tally.mapped(records)
    else if (inConversation.has(source)) tally.skipped(Lane.tooOld, at, records)
    else if (said.some(({ role }) => role === "tool")) tally.skipped("a second result of a call", at, records)
    else tally.skipped("nothing was said in it", at, records)
  }
}

const safeSum = (messages: ReadonlyArray<Message>): Session.Usage =>
  messages.reduce((sum, { usage }) => {
    const next = usage === undefined ? sum : Session.addUsage(sum, usage)
    return Number.isSafeInteger(next.inputTokens + next.outputTokens) && Number.isFinite(next.totalCost) ? next : sum
  }, Session.noUsage)

/**
 * The session, as much of it as fits, and what became of each record.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (finished: Finished, reader: Reader, setting: Setting): Recovered => {
  const { facts, first, last, tally } = finished
  const { cut, pieces } = whole(finished)
  const createdAt = facts.createdAt ?? first ?? last ?? setting.now
  const updatedAt = last !== undefined && last > createdAt ? last : createdAt
  const made = messagesOf(Conversation.assemble(pieces, tally), createdAt)
  const state = (messages: ReadonlyArray<Message>, leftOut: number): SessionState => ({
    ...Session.empty({
      id: setting.id,
      name: Session.nameFrom((facts.title?.text ?? finished.title ?? "").trim(), "session"),
      projectPath: setting.projectPath,
      config: configOf(facts, reader),
      createdAt,
      updatedAt,
      metadata: metadataOf(finished, reader, setting, leftOut)
    }),
    conversation: messages,
    todos: facts.todos ?? [],
    usage: safeSum(messages)
  })
  const around = StateSize.total(StateSize.measure(state([], Number.MAX_SAFE_INTEGER), []))
  const { kept, leftOut: old, shortened } = Fit.newest(made, setting.budget - around, (item, message) => ({
    ...item,
    message
  }))
  tally.changed("a part that is too large: a note stands for it", shortened)
  count(pieces, tally, made, kept)
  const leftOut = old + cut + finished.passed
  return { state: state(kept.map(({ message }) => message), leftOut), counts: tally.counts(), leftOut }
}
