/**
 * Many histories, one after another, on files and now and then on the memory
 * store.
 */
import { Effect } from "effect"
import type { Outcome } from "../campaign.ts"
import * as Play from "./play.ts"

interface Options extends Omit<Play.Rules, "store"> {
  readonly seed: number
  readonly histories: number
  /** Ends with the first history that goes wrong. */
  readonly stopsEarly?: boolean
}

export interface Result extends Outcome {
  readonly commands: number
}

/** Plays the histories of `seed` and those after it. Every fifth is of the memory store. */
export const run = Effect.fnUntraced(function*({ histories, seed, stopsEarly = false, ...rules }: Options) {
  const findings: Array<string> = []
  let commands = 0
  for (let history = seed; history < seed + histories; history++) {
    const played = yield* Play.playSeed(history, { ...rules, store: history % 5 === 4 ? "memory" : "files" })
    commands += played.lines.length
    findings.push(...played.findings)
    if (stopsEarly && findings.length > 0) break
  }
  const result: Result = { commands, findings, counts: `${histories} histories, ${commands} commands` }
  return result
})
