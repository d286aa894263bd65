/**
 * A process that swaps what a store stands on with links, FIFOs, files and
 * directories, and puts it back, until its standard input ends. It prints how
 * often it did.
 *
 * `node swapper.ts <root> <seed> <kinds> <targets>`
 */
import * as NodeFs from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import * as Places from "./places.ts"

const [root = "", seed = "0", kinds = "", targets = ""] = process.argv.slice(2)
const places = Places.below(root)

/** A small generator of its own, so that the seed replays the choices (mulberry32). */
let random = Number(seed) >>> 0
const next = (below: number): number => {
  random = (random + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(random ^ (random >>> 15), 1 | random)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below
}
const choice = <A>(of: ReadonlyArray<A>): A | undefined => of[next(Math.max(1, of.length))]

/** Whether it worked: what is swapped here comes and goes. */
const attempt = (act: () => void): boolean => {
  try {
    act()
    return true
  } catch {
    return false
  }
}

const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return NodeFs.readdirSync(directory)
  } catch {
    return []
  }
}

const spin = (microseconds: number) => {
  const end = process.hrtime.bigint() + BigInt(microseconds * 1000)
  while (process.hrtime.bigint() < end);
}

interface Victim {
  readonly path: string
  /** What a link in its place leads to. */
  readonly canary: string
}

const sessionNames = () => namesIn(places.sessions)

/** What is in a directory itself: a link that the store has taken along leads outside, where nothing may be swapped. */
const namesInside = (session: string): ReadonlyArray<string> => {
  const directory = `${places.sessions}/${session}`
  const isReal = NodeFs.lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isReal ? namesIn(directory) : []
}

const victims: { readonly [target: string]: () => Victim | undefined } = {
  project: () => {
    const name = choice(Places.projects)
    return name === undefined ? undefined : { path: `${places.projects}/${name}`, canary: places.canaryProject }
  },
  directory: () => {
    const name = choice(sessionNames())
    return name === undefined ? undefined : { path: `${places.sessions}/${name}`, canary: places.canaryDirectory }
  },
  file: () => {
    const session = choice(sessionNames())
    if (session === undefined) return undefined
    const name = choice(namesInside(session).filter((name) => !name.startsWith("pending")))
    if (name === undefined) return undefined
    return { path: `${places.sessions}/${session}/${name}`, canary: `${places.canaries}/${session}/${name}` }
  },
  pending: () => {
    for (const session of sessionNames()) {
      const name = namesInside(session).find((name) => name.startsWith("pending"))
      if (name === undefined) continue
      return { path: `${places.sessions}/${session}/${name}`, canary: `${places.canaries}/${session}/session.json` }
    }
    return undefined
  }
}

const replacements: { readonly [kind: string]: (victim: Victim) => void } = {
  link: ({ canary, path }) => NodeFs.symlinkSync(canary, path),
  fifo: ({ path }) => NodeFs.linkSync(choice(Places.fifos(places)) ?? "", path),
  directory: ({ path }) => NodeFs.mkdirSync(path, { mode: 0o700 }),
  file: ({ path }) => NodeFs.writeFileSync(path, "{}", { mode: 0o600 })
}

const swap = (victim: Victim, kind: string): boolean => {
  const aside = `${places.aside}/${next(1e9)}`
  const replace = replacements[kind]
  if (replace === undefined || !attempt(() => NodeFs.renameSync(victim.path, aside))) return false
  const isSwapped = attempt(() => replace(victim))
  spin(next(4) === 0 ? next(3000) : next(200))
  if (isSwapped) attempt(() => NodeFs.rmSync(victim.path, { recursive: true, force: true }))
  if (!attempt(() => NodeFs.renameSync(aside, victim.path))) NodeFs.rmSync(aside, { recursive: true, force: true })
  return isSwapped
}

const state = { isOver: false }
process.stdin.on("end", () => {
  state.isOver = true
}).resume()

let swaps = 0
process.stdout.write("ready\n")
while (!state.isOver) {
  const target = choice(targets.split(",")) ?? ""
  const victim = victims[target]?.()
  const kind = choice(kinds.split(",")) ?? ""
  if (victim !== undefined && swap(victim, kind)) swaps++
  // Time in which nothing is swapped: operations shall get somewhere.
  await pause(next(4))
}
process.stdout.write(`${swaps}\n`)
