/** All peers at the same work, in turn, and what became of each. */
import { Effect, Result, Schema, type Scope } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Report from "../measuring/report.ts"
import { Spread, spread } from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"
import type { Peer } from "./peer.ts"
import type { Ask } from "./spawn.ts"
import * as Spawn from "./spawn.ts"
import type { Request } from "./talk.ts"
import * as Unfit from "./unfit.ts"

/** Milliseconds, but for bytes and syncs of an append. */
export const Measured = Schema.Struct({
  name: Schema.String,
  append: Schema.Array(Spread),
  load: Schema.Array(Spread),
  list: Spread,
  /** Neither is known where nothing can watch the process. */
  bytes: Schema.optionalKey(Schema.Finite),
  syncs: Schema.optionalKey(Schema.Finite),
  validates: Schema.Boolean,
  verifies: Schema.Boolean
})
export type Measured = typeof Measured.Type

export const Skipped = Schema.Struct({ name: Schema.String, reason: Schema.String })
export type Skipped = typeof Skipped.Type

export interface Options {
  readonly root: string
  readonly seed: number
  readonly library: Setting["library"]
  readonly peers: ReadonlyArray<Peer>
  /** Where a peer's packages are; throws why they can't be installed. */
  readonly install: (peer: Peer) => string
  /** Messages of the sessions that are appended to and loaded. */
  readonly counts: ReadonlyArray<number>
  /** Sessions that are listed, and the messages of each. */
  readonly listed: { readonly sessions: number; readonly messages: number }
  readonly rounds: number
  /** How often each does its work in a round; the fastest time counts. */
  readonly times: number
  /** Whether syncs are counted, by strace. */
  readonly traces: boolean
  readonly tell: (text: string) => Effect.Effect<void>
}

/** A peer that is still in the contest. */
interface Contestant {
  readonly peer: Peer
  readonly spawn: Spawn.Options
  readonly ask: Ask
}

const enter = Effect.fnUntraced(function*(options: Options, peer: Peer) {
  const packages = yield* Effect.try({ try: () => options.install(peer), catch: Unfit.because })
  const directory = NodePath.join(options.root, peer.name.replaceAll(/\W+/g, "-"))
  NodeFs.mkdirSync(directory)
  const spawn: Spawn.Options = {
    library: options.library,
    start: { peer: peer.name, packages, directory, seed: options.seed }
  }
  const contestant: Contestant = { peer, spawn, ask: yield* Spawn.spawn(spawn) }
  return contestant
})

/** The contest with its times, and those who had to leave it. */
const hold = Effect.fnUntraced(function*(options: Options) {
  const skipped: Array<Skipped> = []
  let contestants: ReadonlyArray<Contestant> = []
  const times = new Map<string, Array<number>>()

  /** Runs something for everybody; whoever fails leaves. */
  const everybody = Effect.fnUntraced(function*<A extends { readonly peer: Peer }, B>(
    all: ReadonlyArray<A>,
    run: (one: A) => Effect.Effect<B, Unfit.Unfit, Scope.Scope>
  ) {
    const fit: Array<B> = []
    for (const one of all) {
      const outcome = yield* Effect.result(run(one))
      if (Result.isSuccess(outcome)) fit.push(outcome.success)
      else {
        skipped.push({ name: one.peer.name, reason: outcome.failure.reason })
        yield* options.tell(`${one.peer.name} leaves: ${outcome.failure.reason}`)
      }
    }
    return fit
  })

  /** One request to everybody, in turn; the fastest answer is kept under a label. */
  const request = Effect.fnUntraced(function*(request: Request, label?: string) {
    contestants = yield* everybody(contestants, (contestant) =>
      Effect.map(contestant.ask(request), (values) => {
        const key = `${contestant.peer.name} ${label}`
        if (label !== undefined && values.length > 0) times.set(key, [...times.get(key) ?? [], Math.min(...values)])
        return contestant
      }))
  })

  contestants = yield* everybody(
    options.peers.map((peer) => ({ peer })),
    ({ peer }) => enter(options, peer)
  )
  for (const messages of options.counts) {
    yield* options.tell(`${messages} messages`)
    yield* request({ _tag: "Store", messages })
    // What runs for the first time is not counted.
    yield* request({ _tag: "Append", messages, times: 1 })
    yield* request({ _tag: "Load", messages, times: 1 })
    for (let round = 0; round < options.rounds; round++) {
      yield* request({ _tag: "Append", messages, times: options.times }, `append ${messages}`)
      yield* request({ _tag: "Load", messages, times: options.times }, `load ${messages}`)
    }
  }
  const middle = options.counts[options.counts.length >> 1] ?? 0
  yield* request({ _tag: "Written", messages: middle, times: 5 }, "bytes")
  const { messages, sessions } = options.listed
  yield* options.tell(`${sessions} sessions of ${messages} messages`)
  yield* request({ _tag: "Fill", sessions, messages })
  for (let round = 0; round < options.rounds; round++) {
    yield* request({ _tag: "List", sessions, times: options.times }, "list")
  }
  const measured = yield* Effect.forEach(
    contestants,
    ({ peer, spawn }) =>
      Effect.map(options.traces ? Spawn.syncsOfAppend(spawn) : Effect.undefined, (syncs): Measured => {
        const timesOf = (label: string) => times.get(`${peer.name} ${label}`) ?? []
        const [bytes] = timesOf("bytes")
        return {
          name: peer.name,
          append: options.counts.map((messages) => spread(timesOf(`append ${messages}`))),
          load: options.counts.map((messages) => spread(timesOf(`load ${messages}`))),
          list: spread(timesOf("list")),
          ...bytes === undefined ? {} : { bytes },
          ...syncs === undefined ? {} : { syncs },
          validates: peer.validates,
          verifies: peer.verifies
        }
      })
  )
  return { measured, skipped }
})

export const run = (options: Options) => Effect.scoped(hold(options))

const said = (isSo: boolean): string => isSo ? "yes" : "no"

/** Milliseconds; bytes and syncs of an append. */
export const table = (
  { counts, listed }: Pick<Options, "counts" | "listed">,
  measured: ReadonlyArray<Measured>
): string => {
  const named = counts.map((count) => count.toLocaleString("en"))
  return Report.align([
    [
      "",
      ...named.map((count) => `append at ${count}`),
      ...named.map((count) => `load ${count}`),
      `list ${listed.sessions.toLocaleString("en")}`,
      "bytes",
      "syncs",
      "validates",
      "verifies"
    ],
    ...measured.map(({ append, bytes, list, load, name, syncs, validates, verifies }) => [
      name,
      ...append.map(({ median }) => Report.digits(median)),
      ...load.map(({ median }) => Report.digits(median)),
      Report.digits(list.median),
      bytes === undefined ? "unknown" : Math.round(bytes).toLocaleString("en"),
      syncs === undefined ? "unknown" : Report.digits(syncs),
      said(validates),
      said(verifies)
    ])
  ], 1)
}
