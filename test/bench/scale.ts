/** How much a run measures. */
import type * as Rounds from "./measuring/rounds.ts"

/** Sessions of so many bytes of messages. */
export interface Size {
  readonly name: string
  readonly bytes: number
}

/** What a session is made of: so many bytes of messages, or so many messages. */
export type Kind = Size | number

/** So many stored sessions of a size. */
export interface Listing {
  readonly sessions: number
  readonly size: Size
}

export interface Scale extends Rounds.Options {
  /** How long what changes nothing runs before it counts. */
  readonly reading: Pick<Rounds.Options, "warmMillis" | "warmLaps">
  /** How long resumes run before they count: each of them is a code path that a session takes once. */
  readonly resuming: Pick<Rounds.Options, "warmMillis" | "warmLaps">
  /** Sessions that are loaded, saved and resumed. */
  readonly kinds: ReadonlyArray<Kind>
  /** Messages of the sessions that are appended to, fewest first. */
  readonly counts: ReadonlyArray<number>
  readonly lists: ReadonlyArray<Listing>
  /** So many small and so many large ones, which take the same time to list. */
  readonly listGrowth: readonly [small: Listing, large: Listing]
  /** Sessions that processes load which look at their memory. */
  readonly memory: ReadonlyArray<Size>
  /** Processes that are started for one number. */
  readonly processes: number
}

const small: Size = { name: "10 KB", bytes: 10_000 }
const medium: Size = { name: "100 KB", bytes: 100_000 }
const large: Size = { name: "1 MB", bytes: 1_000_000 }
const huge: Size = { name: "10 MB", bytes: 10_000_000 }

const counts = [100, 1000, 10_000]

export const full: Scale = {
  rounds: 9,
  roundMillis: 150,
  warmMillis: 300,
  warmLaps: 0,
  reading: { warmMillis: 1500, warmLaps: 4000 },
  resuming: { warmMillis: 1000, warmLaps: 300 },
  minLaps: 3,
  maxLaps: 25,
  kinds: [small, large, huge, ...counts],
  counts,
  lists: counts.map((sessions) => ({ sessions, size: medium })),
  listGrowth: [{ sessions: 100, size: small }, { sessions: 100, size: huge }],
  memory: [small, large, huge],
  processes: 9
}

/** Under a minute: without what takes long to prepare, and with enough before it counts that it can be judged. */
export const quick: Scale = {
  ...full,
  rounds: 5,
  roundMillis: 50,
  warmMillis: 100,
  reading: { warmMillis: 500, warmLaps: 2000 },
  resuming: { warmMillis: 400, warmLaps: 100 },
  maxLaps: 15,
  kinds: [small, large, 1000],
  lists: [100, 1000].map((sessions) => ({ sessions, size: medium })),
  listGrowth: [{ sessions: 8, size: small }, { sessions: 8, size: huge }],
  memory: [huge],
  processes: 3
}

const least: Size = { name: "2 KB", bytes: 2000 }

/** To see that it works. */
export const tiny: Scale = {
  rounds: 2,
  roundMillis: 0,
  warmMillis: 0,
  warmLaps: 0,
  reading: { warmMillis: 0, warmLaps: 0 },
  resuming: { warmMillis: 0, warmLaps: 0 },
  minLaps: 1,
  maxLaps: 1,
  kinds: [least, 2],
  counts: [2],
  lists: [{ sessions: 2, size: least }],
  listGrowth: [{ sessions: 2, size: least }, { sessions: 2, size: { name: "20 KB", bytes: 20_000 } }],
  memory: [least],
  processes: 1
}
