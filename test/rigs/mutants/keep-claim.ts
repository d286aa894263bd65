/** A store whose claims are given back by nobody: what failed stays held. */
import { Effect, Layer, Scope } from "effect"
import { SessionStore } from "../../../src/index.ts"
import type { Mutant } from "../trials/world.ts"

export const mutant: Mutant = {
  store: Layer.effect(
    SessionStore.SessionStore,
    Effect.map(SessionStore.SessionStore, (store) =>
      SessionStore.SessionStore.of({
        ...store,
        claim: (id, options) => Effect.flatMap(Scope.make(), (scope) => Scope.provide(store.claim(id, options), scope))
      }))
  )
}
