/** A store that hands a session over without the line that was added to its journal last. */
import { Effect, Layer } from "effect"
import { SessionStore } from "../../../src/index.ts"

const newline = 0x0a

/** The first line stays: without it there is no journal. */
const withoutLastLine = (journal: Uint8Array): Uint8Array => {
  const end = journal.lastIndexOf(newline, journal.length - 2) + 1
  return end === 0 ? journal : journal.subarray(0, end)
}

export const store: Layer.Layer<SessionStore.SessionStore, never, SessionStore.SessionStore> = Layer.effect(
  SessionStore.SessionStore,
  SessionStore.SessionStore.use((store) =>
    Effect.succeed({
      ...store,
      claim: (id, options) =>
        Effect.map(store.claim(id, options), (claim) => ({
          ...claim,
          stored: Effect.map(claim.stored, (stored) => ({ ...stored, journals: stored.journals.map(withoutLastLine) }))
        }))
    })
  )
)
