/** Samples what a program does, and adds up where it was. */
import { Effect } from "effect"
import type { Profiler } from "node:inspector"
import { Session } from "node:inspector/promises"

/** A function, and its shares of the samples: itself, and with everything that it called. */
export interface Share {
  readonly where: string
  readonly self: number
  readonly total: number
}

const session = Effect.acquireRelease(
  Effect.promise(async () => {
    const session = new Session()
    session.connect()
    await session.post("Profiler.enable")
    await session.post("Profiler.setSamplingInterval", { interval: 200 })
    return session
  }),
  (session) => Effect.sync(() => session.disconnect())
)

const nameOf = ({ callFrame: { functionName, lineNumber, url } }: Profiler.ProfileNode): string => {
  const file = url.replace(/^file:\/\//, "").replace(/^.*\/(node_modules|dist|test)\//, "$1/")
  return `${functionName === "" ? "(anonymous)" : functionName} ${file}${url === "" ? "" : `:${lineNumber + 1}`}`.trim()
}

/** Waiting is nobody's time. */
const isIdle = (name: string): boolean => name === "(idle)" || name === "(root)" || name === "(program)"

const shares = ({ nodes, samples = [] }: Profiler.Profile): ReadonlyArray<Share> => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ children = [], id }) => children.map((child) => [child, id] as const)))
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  let counted = 0
  for (const sample of samples) {
    const leaf = byId.get(sample)
    if (leaf === undefined || isIdle(nameOf(leaf))) continue
    counted++
    self.set(nameOf(leaf), (self.get(nameOf(leaf)) ?? 0) + 1)
    const stack = new Set<string>()
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const node = byId.get(id)
      if (node !== undefined) stack.add(nameOf(node))
    }
    for (const name of stack) total.set(name, (total.get(name) ?? 0) + 1)
  }
  return Array.from(total, ([where, hits]) => ({
    where,
    self: (self.get(where) ?? 0) / counted,
    total: hits / counted
  })).toSorted((one, other) => other.self - one.self)
}

/** Repeats a program for so long, after a tenth of that as a warm-up. */
export const profile = Effect.fnUntraced(function*(program: Effect.Effect<unknown, unknown>, millis: number) {
  const inspector = yield* session
  const repeat = Effect.fnUntraced(function*(millis: number) {
    let times = 0
    for (const end = performance.now() + millis; times === 0 || performance.now() < end; times++) yield* program
    return times
  })
  yield* repeat(millis / 10)
  yield* Effect.promise(() => inspector.post("Profiler.start"))
  const times = yield* repeat(millis)
  const { profile } = yield* Effect.promise(() => inspector.post("Profiler.stop"))
  return { times, functions: shares(profile) }
}, Effect.scoped)
