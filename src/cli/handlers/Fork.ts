/**
 * What `reprise fork` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fork from "../../pipelines/Fork.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Removal from "../Removal.ts"
import * as Target from "../Target.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: string
  readonly at: Option.Option<string>
  readonly name: Option.Option<string>
  readonly project: Option.Option<string>
}

/** Up to nine digits are the number of a message, anything else is its id. */
const messageOf = (word: string): number | string => /^\d{1,9}$/.test(word) ? Number(word) : word

const member = <const Key extends string, A>(key: Key, value: Option.Option<A>) =>
  Option.match(value, { onNone: () => ({}), onSome: (value) => ({ [key]: value }) })

/** What is not in the fork as one may expect it. */
const remarks = ({ beyond, leftOut, openCalls, todosLeftOut }: Fork.ForkReport): ReadonlyArray<string> => [
  ...(beyond > 0 ? [`${Words.count(beyond, "message")} more than asked for: the results of its tool calls.`] : []),
  ...(leftOut > 0 ? [`${Words.count(leftOut, "message")} left out.`] : []),
  ...(todosLeftOut > 0 ? [`${Words.count(todosLeftOut, "to-do")} left out: what they were then is not known.`] : []),
  ...(openCalls > 0 ? [`${Words.count(openCalls, "tool call")} without a result, as in the other session.`] : [])
]

/**
 * Forks a session.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.fork")(function*(input: Input) {
  const { isJson, style } = yield* Output.current
  const target = yield* Target.resolve(input.target)
  const project = Option.isSome(input.project) ? Option.some(yield* Where.project(input.project.value)) : Option.none()
  const report = yield* Fork.fork(target.id, {
    ...member("at", Option.map(input.at, messageOf)),
    ...member("name", input.name),
    ...member("project", project)
  })
  const { beyond, id, leftOut, name, openCalls, parent, projectPath, todosLeftOut } = report
  if (isJson) {
    return yield* Output.printJson(CliJson.Fork, {
      id,
      name,
      project: projectPath,
      parent,
      messages: parent.messages,
      beyond,
      leftOut,
      todosLeftOut,
      openCalls
    })
  }
  yield* Output.print(
    `Forked ${style.bold(Removal.label(target))} to ${style.bold(Printable.line(name))}, with ${
      Words.count(parent.messages, "message")
    }.`,
    ...remarks(report),
    `Go on with it: reprise resume ${id}`
  )
}, Backend.withSessions)
