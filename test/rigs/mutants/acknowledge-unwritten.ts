/** A store that acknowledges events although writing them failed. */
import { Effect, Layer } from "effect"
import { SessionStore } from "../../../src/index.ts"
import type { Mutant } from "../trials/world.ts"

export const mutant: Mutant = {
  store: Layer.effect(
    SessionStore.SessionStore,
    Effect.map(SessionStore.SessionStore, (store) =>
      SessionStore.SessionStore.of({
        ...store,
        claim: (id, options) =>
          Effect.map(store.claim(id, options), (claim): SessionStore.Claim => ({
            ...claim,
            append: (lines) => Effect.catchTag(claim.append(lines), "StoreError", () => Effect.void)
          }))
      }))
  )
}
