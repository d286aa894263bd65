/** What a whole process costs: the memory of a load, and the time that importing the library takes. */
import { Array as Arr, Effect } from "effect"
import * as NodeChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Stored from "../fixtures/sessions.ts"
import type * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

const program = (name: string): string => fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url))

/** The lines that a program prints. */
const run = (library: Setting["library"], name: string, args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const flags = library === "sources" ? ["--import", program("from-source")] : []
  const { error, status, stderr, stdout } = NodeChildProcess.spawnSync(
    process.execPath,
    [...flags, program(name), ...args],
    { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } }
  )
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
  return stdout.trim().split("\n")
}

const inMiB = 1024

const memory = Effect.fnUntraced(function*({ library, root, scale, seed, variants: [variant] }: Setting) {
  const place = Stored.place(root, "processes")
  const { run: within } = yield* Stored.open(variant, place)
  const rows: Array<Rows.Row> = []
  for (const size of scale.memory) {
    const id = yield* within(Stored.store(place, Stored.messagesOf(seed, size)))
    const taken = Arr.makeBy(scale.processes, () => {
      const [[imports], [load]] = [run(library, "peak", []), run(library, "peak", [place.sessions, id])]
      return (Number(load) - Number(imports)) / inMiB
    })
    rows.push({
      operation: "load, peak memory over imports",
      of: size.name,
      variant: variant.name,
      unit: "MiB",
      value: Rows.spread(taken),
      ...size.bytes === 10_000_000 ? { must: 60, aim: 40 } : {}
    })
  }
  return rows
})

/** The library's rooms, and each module of others that they import. */
const imports = ({ library, scale }: Setting): Rows.Row => {
  const own = ["", "/node"].map((room) =>
    library === "sources"
      ? new URL(`../../../src${room}/index.ts`, import.meta.url).href
      : import.meta.resolve(`effect-reprise${room}`)
  )
  const others = run(library, "modules", own)
  const spent = (urls: ReadonlyArray<string>): Rounds.Spent => {
    const [wall, cpu] = run(library, "importing", urls)
    return { wall: Number(wall), cpu: Number(cpu) }
  }
  const laps = Arr.makeBy(scale.processes, () => ({ floor: spent(others), taken: spent(own) }))
  return Rows.compare(
    { operation: "import", of: "library and Node layers", variant: library, must: 1.1 },
    { unit: "x Effect's modules" },
    laps.map(({ taken }) => taken),
    laps.map(({ floor }) => floor)
  )
}

export const processes = (setting: Setting) => Effect.map(memory(setting), (rows) => [...rows, imports(setting)])
