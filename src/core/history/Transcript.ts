/**
 * A history while it is read: the conversation itself, and those of sub-agents
 * that stand in the same file. What it holds is bounded, however long the
 * history is.
 *
 * @since 0.1.0
 */
import type { Reader, Reading } from "./History.ts"
import * as Lane from "./Lane.ts"

/**
 * One of the conversations of a history, read to its end. `agent` names the
 * sub-agent whose it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conversation extends Lane.Finished {
  readonly agent: string | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Transcript {
  /** Takes the readings of a record; `at` is its number. */
  readonly add: (readings: ReadonlyArray<Reading>, at: number) => void
  /** Counts a record that can't be read. */
  readonly skip: (reason: string, at: number) => void
  /** Counts what had to be mended in a record. */
  readonly changed: (changes: ReadonlyArray<string>) => void
  /** The conversations, the main one first, those without a record left out. */
  readonly finish: () => ReadonlyArray<Conversation>
}

/** All conversations together hold that many times as much as one. */
const share = 3

const main = ""

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (reader: Reader, bounds: Lane.Bounds): Transcript => {
  const lanes = new Map<string, Lane.Lane>()
  /** To whose conversation a record of a sub-agent belongs that does not name it. */
  const agents = new Map<string, string>()

  const lane = (name: string): Lane.Lane => {
    const known = lanes.get(name)
    if (known !== undefined) return known
    const made = Lane.make(reader, bounds)
    lanes.set(name, made)
    return made
  }

  const nameOf = ({ aside, node }: Reading): string => {
    if (aside === undefined) return main
    const parent = node?.parent ?? undefined
    const name = aside.agent ?? (parent === undefined ? undefined : agents.get(parent)) ?? node?.id ?? "agent"
    if (node !== undefined && aside.agent === undefined) agents.set(node.id, name)
    return name
  }

  const relieve = () => {
    let held = 0
    for (const { bytes } of lanes.values()) held += bytes()
    if (held <= bounds.maxBytes * share) return
    const [largest] = [...lanes.values()].sort((one, two) => two.bytes() - one.bytes())
    largest?.pass()
  }

  return {
    add: (readings, at) => {
      for (const reading of readings) lane(nameOf(reading)).add(reading, at)
      if (lanes.size > 1) relieve()
    },
    skip: (reason, at) => lane(main).tally.skipped(reason, at),
    changed: (changes) => {
      for (const change of changes) lane(main).tally.changed(change)
    },
    finish: () => {
      const { [main]: first, ...others } = Object.fromEntries(lanes)
      return [
        ...(first === undefined ? [] : [{ ...first.finish(), agent: undefined }]),
        ...Object.entries(others).map(([agent, other]) => ({ ...other.finish(), agent }))
      ]
    }
  }
}
