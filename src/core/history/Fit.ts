/**
 * A history may be larger than a session. Its newest turns are what is gone on
 * with, so they are what is brought in; what is left out is counted.
 *
 * @since 0.1.0
 */
import type { Message, Part } from "../Session.ts"
import * as Text from "../Text.ts"
import * as Parts from "./Parts.ts"

/**
 * Something with a message: what is left is given back as it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fitted<A> {
  readonly kept: ReadonlyArray<A>
  /** Messages before and between the kept ones that are not. */
  readonly leftOut: number
  /** Parts that a note stands for. */
  readonly shortened: number
}

interface Holder {
  readonly message: Message
}

const separator = 2

/** Bytes of a message in a snapshot. */
const bytesOf = (message: Message): number => Text.toBytes(JSON.stringify(message)).length + separator

const total = (holders: ReadonlyArray<Holder>): number =>
  holders.reduce((bytes, { message }) => bytes + bytesOf(message), 0)

/** Lists that begin wherever `begins` says so. */
const split = <A>(list: ReadonlyArray<A>, begins: (item: A, before: A | undefined) => boolean): Array<Array<A>> => {
  const pieces: Array<Array<A>> = []
  for (const [index, item] of list.entries()) {
    const last = pieces.at(-1)
    if (last === undefined || begins(item, list[index - 1])) pieces.push([item])
    else last.push(item)
  }
  return pieces
}

const isUser = ({ message }: Holder): boolean => message.role === "user"

/** A turn begins with what the person says, be it in several messages. */
const turnsOf = <A extends Holder>(all: ReadonlyArray<A>) =>
  split(all, (item, before) => isUser(item) && (before === undefined || !isUser(before)))

/** A step is an answer and the results of its calls. */
const stepsOf = <A extends Holder>(turn: ReadonlyArray<A>) => split(turn, ({ message }) => message.role !== "tool")

/** As many of the last pieces as fit. */
const last = <A extends Holder>(pieces: ReadonlyArray<ReadonlyArray<A>>, budget: number) => {
  let left = budget
  let from = pieces.length
  while (from > 0) {
    const bytes = total(pieces[from - 1] ?? [])
    if (bytes > left) break
    left -= bytes
    from--
  }
  return pieces.slice(from).flat()
}

/**
 * As many of the newest turns as fit into `budget` bytes. Of a turn that does not
 * fit on its own, what it begins with and its newest steps; and where even that
 * is too much, with notes in the place of its largest parts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const newest = <A extends Holder>(
  all: ReadonlyArray<A>,
  budget: number,
  replace: (item: A, message: Message) => A
): Fitted<A> => {
  const turns = turnsOf(all)
  const kept = last(turns, budget)
  if (kept.length > 0 || all.length === 0) return { kept, leftOut: all.length - kept.length, shortened: 0 }

  const turn = turns.at(-1) ?? []
  const beginning = turn.filter((item, index) => isUser(item) && turn.slice(0, index).every(isUser))
  const steps = stepsOf(turn.slice(beginning.length))
  const shortBeginning = shortened(beginning, budget / 2, replace)
  const left = budget - total(shortBeginning.items)
  const newestSteps = last(steps, left)
  if (newestSteps.length > 0 || steps.length === 0) {
    const some = [...shortBeginning.items, ...newestSteps]
    return { kept: some, leftOut: all.length - some.length, shortened: shortBeginning.count }
  }
  const step = shortened(steps.at(-1) ?? [], left, replace)
  const some = total(step.items) <= left ? [...shortBeginning.items, ...step.items] : shortBeginning.items
  return {
    kept: some,
    leftOut: all.length - some.length,
    shortened: shortBeginning.count + (some.length > shortBeginning.items.length ? step.count : 0)
  }
}

/** Replaces the largest parts until all fits. */
const shortened = <A extends Holder>(
  items: ReadonlyArray<A>,
  budget: number,
  replace: (item: A, message: Message) => A
): { readonly items: ReadonlyArray<A>; readonly count: number } => {
  const sizes = items.flatMap(({ message }, item) =>
    (typeof message.content === "string" ? [Parts.text(message.content)] : message.content).map((part, index) => ({
      item,
      index,
      bytes: partBytes(part)
    }))
  ).sort((one, two) => two.bytes - one.bytes)
  let excess = total(items) - budget
  const chosen = new Set<string>()
  for (const { bytes, index, item } of sizes) {
    if (excess <= 0 || bytes <= noteBytes) break
    chosen.add(`${item} ${index}`)
    excess -= bytes - noteBytes
  }
  if (chosen.size === 0) return { items, count: 0 }
  return {
    count: chosen.size,
    items: items.map((item, at) => {
      const { content } = item.message
      const parts = typeof content === "string" ? [Parts.text(content)] : content
      return replace(item, {
        ...item.message,
        content: parts.map((part, index) => chosen.has(`${at} ${index}`) ? noteOf(part) : part)
      })
    })
  }
}

/** More than a note takes, with the names around it. */
const noteBytes = 512

const partBytes = (part: Part): number => Text.toBytes(JSON.stringify(part)).length

const noteOf = (part: Part): Part => {
  const note = `[${part.type} of ${partBytes(part)} bytes: left out on import]`
  switch (part.type) {
    case "tool-call":
      return { ...part, params: { note } }
    case "tool-result":
      return { ...part, result: note, modelOutput: [] }
    default:
      return Parts.text(note)
  }
}
