/** Chance in a hurry: a small generator (mulberry32) that a seed replays. */
export interface Dice {
  /** A whole number from 0, below this one. */
  readonly below: (limit: number) => number
  readonly choice: <A>(of: readonly [A, ...ReadonlyArray<A>]) => A
  readonly pick: <A>(of: ReadonlyArray<A>) => A | undefined
  readonly bytes: (length: number) => Uint8Array
}

export const make = (seed: number): Dice => {
  let state = seed >>> 0
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, limit)
  }
  return {
    below,
    choice: (of) => of[below(of.length)] ?? of[0],
    pick: (of) => of[below(of.length)],
    bytes: (length) => Uint8Array.from({ length }, () => below(256))
  }
}
