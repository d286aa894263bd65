/**
 * Many histories, one after another, on files and now and then on the memory
 * store.
 */
import { Effect } from "effect"
import type { Outcome } from "../campaign.ts"
import type { Mutant } from "./machine.ts"
import * as Play from "./play.ts"

interface Options extends Omit<Play.Rules, "store"> {
  readonly seed: number
  readonly histories: number
}

/** Every fifth history is of the memory store. */
const play = (seed: number, rules: Omit<Play.Rules, "store">) =>
  Play.playSeed(seed, { ...rules, store: seed % 5 === 4 ? "memory" : "files" })

/** Plays the histories of `seed` and those after it. */
export const run = Effect.fnUntraced(function*({ histories, seed, ...rules }: Options) {
  const findings: Array<string> = []
  let commands = 0
  for (let history = seed; history < seed + histories; history++) {
    const played = yield* play(history, rules)
    commands += played.lines.length
    findings.push(...played.findings)
  }
  const outcome: Outcome & { readonly commands: number } = {
    commands,
    findings,
    counts: `${histories} histories, ${commands} commands`
  }
  return outcome
})

/** What shows first that a mutant is one: in a history that goes well without it. */
export const findOut = Effect.fnUntraced(function*(mutant: Mutant, { histories, seed, ...rules }: Options) {
  for (let history = seed; history < seed + histories; history++) {
    const { findings } = yield* play(history, { ...rules, mutant })
    if (findings.length > 0 && (yield* play(history, rules)).findings.length === 0) return findings
  }
  return []
})
