/**
 * Format version 1, which is the file of JidoCode, and what becomes of it in
 * version 2.
 *
 * **Details**
 *
 * That program wrote what it could not read again, and the conversation in
 * reverse. So what is out of order is put in order, what version 2 refuses is
 * replaced by what that program takes for it, and each such change is reported.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import type { JsonObject } from "./Json.ts"
import * as JsonDocument from "./JsonDocument.ts"
import type { Answer, Change } from "./MigrationStep.ts"
import * as Session from "./Session.ts"
import * as Version1Time from "./Version1Time.ts"

const furtherMembers = [Schema.Record(Schema.String, Schema.Json)] as const

const Moment = Schema.String.check(
  Schema.makeFilter((text: string) => Option.isSome(Version1Time.parse(text)), {
    expected: "a date and time with an offset"
  })
)

const Message = Schema.StructWithRest(
  Schema.Struct({ id: Schema.String, role: Session.Role, content: Schema.String, timestamp: Moment }),
  furtherMembers
)

const Todo = Schema.StructWithRest(
  Schema.Struct({
    content: Schema.String,
    status: Schema.Literals(["pending", "in_progress", "completed"]),
    active_form: Schema.String
  }),
  furtherMembers
)

const Document = Schema.StructWithRest(
  Schema.Struct({
    version: Schema.Literal(1),
    id: Schema.String,
    name: Schema.String,
    project_path: Schema.String,
    config: Schema.Record(Schema.String, Schema.Json),
    created_at: Moment,
    updated_at: Moment,
    closed_at: Schema.Json,
    conversation: Schema.Array(Message),
    todos: Schema.Array(Todo)
  }),
  furtherMembers
)

type Document = typeof Document.Type

/**
 * Whether a document has the members of version 1, or what is wrong with it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const check = Check.make(Document)

/** Writes down what could not be taken over as it was. */
type Report = (path: string, change: string) => void

const without = (object: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))

/** Members that version 2 has no place for under their own name. */
const further = (
  object: JsonObject,
  path: string,
  known: ReadonlySet<string>,
  taken: ReadonlySet<string>,
  report: Report
) =>
  Object.fromEntries(
    Object.entries(object).filter(([key]) => {
      if (known.has(key)) return false
      if (taken.has(key)) report(`${path}${key}`, "dropped")
      return !taken.has(key)
    })
  )

const set = (names: string): ReadonlySet<string> => new Set(names.split(" "))

const timeOf = (text: string, path: string, report: Report) => {
  const moment = Version1Time.parse(text)
  if (Option.exists(moment, ({ isCut }) => isCut)) report(path, "cut to milliseconds")
  return Option.map(moment, ({ timestamp }) => timestamp)
}

/** What that program reads where a member of the configuration is missing. */
const defaultConfig = { provider: "anthropic", model: "claude-3-5-sonnet-20241022", temperature: 0.7, maxTokens: 4096 }

const isConfig = Schema.is(Session.SessionConfig)

const configOf = (old: JsonObject, report: Report): JsonObject => {
  const kept = further(old, "config.", set("provider model temperature max_tokens"), set("maxTokens"), report)
  const named = { provider: "provider", model: "model", temperature: "temperature", maxTokens: "max_tokens" } as const
  const config: { [key: string]: Schema.Json } = { ...kept, ...defaultConfig }
  for (const [name, oldName] of Object.entries(named)) {
    const value = Object.hasOwn(old, oldName) ? old[oldName] : undefined
    if (value !== undefined && isConfig({ ...defaultConfig, [name]: value })) config[name] = value
    else report(`config.${oldName}`, "replaced by the default")
  }
  return config
}

const isCount = Schema.is(Session.Usage.fields.inputTokens)
const isCost = Schema.is(Session.Usage.fields.totalCost)

const usageOf = (old: Schema.Json, path: string, report: Report): Option.Option<Session.Usage> => {
  if (!JsonDocument.isObject(old)) {
    report(path, "dropped")
    return Option.none()
  }
  const number = (name: string, is: (value: unknown) => value is number): number => {
    const value = Object.hasOwn(old, name) ? old[name] : 0
    if (is(value)) return value
    report(`${path}.${name}`, "replaced by 0")
    return 0
  }
  for (const name of Object.keys(without(old, "input_tokens", "output_tokens", "total_cost"))) {
    report(`${path}.${name}`, "dropped")
  }
  return Option.some({
    inputTokens: number("input_tokens", isCount),
    outputTokens: number("output_tokens", isCount),
    totalCost: number("total_cost", isCost)
  })
}

const messageOf = (old: Document["conversation"][number], index: number, report: Report): JsonObject => {
  const path = `conversation[${index}]`
  const { content, id, role, usage, ...rest } = old
  if (id === "") report(`${path}.id`, "replaced by a number")
  const counted = usage === undefined ? Option.none() : usageOf(usage, `${path}.usage`, report)
  return {
    ...rest,
    id: id === "" ? `message-${index + 1}` : id,
    role,
    content,
    timestamp: Option.getOrElse(timeOf(old.timestamp, `${path}.timestamp`, report), () => old.timestamp),
    ...(Option.isSome(counted) ? { usage: { ...counted.value } } : {})
  }
}

const orderOf = ({ timestamp }: Document["conversation"][number]): string =>
  Option.match(Version1Time.parse(timestamp), { onNone: () => timestamp, onSome: ({ order }) => order })

/**
 * Messages in the order in which they were said. That program reverses them with
 * each save, so equal times are in reverse where most of the others are.
 */
const inOrder = (old: Document["conversation"], report: Report): Document["conversation"] => {
  const orders = old.map(orderOf)
  const falls = orders.filter((order, index) => order < (orders[index - 1] ?? "")).length
  if (falls === 0) return old
  report("conversation", "put in the order of its timestamps")
  const rises = orders.filter((order, index) => index > 0 && order > (orders[index - 1] ?? "")).length
  return Array.sortWith(falls > rises ? old.toReversed() : old, orderOf, Order.String)
}

const isList = Schema.is(Schema.Array(Schema.Json))

const promptsOf = (old: Schema.Json | undefined, report: Report): ReadonlyArray<string> => {
  if (old === undefined) return []
  if (!isList(old)) {
    report("prompt_history", "dropped")
    return []
  }
  const prompts = old.filter((entry) => typeof entry === "string")
  if (prompts.length < old.length) report("prompt_history", "what is no text dropped")
  // Version 1 has the newest first.
  return prompts.toReversed()
}

const nameOf = (old: string, report: Report): string => {
  const name = Session.nameFrom(old, "session")
  if (name !== old) report("name", "cut to a name of 1 to 50 characters")
  return name
}

const closedAtOf = (old: Schema.Json, report: Report) => {
  const closedAt = typeof old === "string" ? timeOf(old, "closed_at", report) : Option.none()
  if (Option.isNone(closedAt)) report("closed_at", "dropped")
  return closedAt
}

const known = set(
  "version id name project_path config language created_at updated_at closed_at conversation todos prompt_history " +
    "cumulative_usage signature"
)

const taken = set(
  "epoch revision projectPath createdAt updatedAt closedAt messages todosOpen todosDone promptHistory usage metadata"
)

/**
 * The document of version 2, and what could not be taken over as it was.
 *
 * @category migrating
 * @since 0.1.0
 */
export const toVersion2 = (input: JsonObject): Answer =>
  Result.gen(function*() {
    const old = yield* Result.mapError(check(input), ([{ expected, path }]) => `${path} is not ${expected}`)
    const changes: Array<Change> = []
    const report: Report = (path, change) => void changes.push({ path, change })

    const id = old.id.toLowerCase()
    if (id !== old.id) report("id", "written in lower case")
    const conversation = inOrder(old.conversation, report).map((message, index) => messageOf(message, index, report))
    const todos = old.todos.map(({ active_form, ...todo }) => ({ ...todo, activeForm: active_form }))
    const todosDone = todos.filter(({ status }) => status === "completed").length
    const closedAt = closedAtOf(old.closed_at, report)
    const { cumulative_usage, language } = input
    const total = cumulative_usage === undefined
      ? Option.none()
      : usageOf(cumulative_usage, "cumulative_usage", report)
    if (language !== undefined && typeof language !== "string") report("language", "dropped")
    const document: JsonObject = {
      version: 2,
      id,
      epoch: 1,
      revision: 0,
      name: nameOf(old.name, report),
      projectPath: old.project_path,
      createdAt: Option.getOrElse(timeOf(old.created_at, "created_at", report), () => old.created_at),
      updatedAt: Option.getOrElse(timeOf(old.updated_at, "updated_at", report), () => old.updated_at),
      ...(Option.isSome(closedAt) ? { closedAt: closedAt.value } : {}),
      messages: conversation.length,
      todosOpen: todos.length - todosDone,
      todosDone,
      config: configOf(old.config, report),
      conversation,
      todos,
      promptHistory: promptsOf(input["prompt_history"], report),
      usage: { ...Option.getOrElse(total, () => sumOf(conversation)) },
      metadata: typeof language === "string" ? { language } : {},
      ...further(input, "", known, taken, report)
    }
    return { document, changes }
  })

const isUsage = Schema.is(Session.Usage)

const sumOf = (conversation: ReadonlyArray<JsonObject>): Session.Usage =>
  conversation.map(({ usage }) => usage).filter((usage) => isUsage(usage)).reduce(Session.addUsage, Session.noUsage)
