/**
 * A store that saves what it has when a claim is given back before it came to
 * anything: an emptied session over the good one.
 */
import { Effect, Layer } from "effect"
import * as Snapshot from "../../../src/core/Snapshot.ts"
import { type Session, Sessions, SessionStore, Signer } from "../../../src/index.ts"
import type { Mutant } from "../trials/world.ts"

const emptied = (state: Session.SessionState): Session.SessionState => ({
  ...state,
  conversation: [],
  todos: [],
  promptHistory: []
})

export const mutant: Mutant = {
  store: Layer.effect(
    SessionStore.SessionStore,
    Effect.gen(function*() {
      const store = yield* SessionStore.SessionStore
      const keyRing = yield* Signer.Signer
      const saveEmptied = Effect.fnUntraced(
        function*(claim: SessionStore.Claim) {
          const { state } = yield* Sessions.load(claim.id)
          const snapshot = yield* Signer.signed(Snapshot.encode(keyRing, emptied(state), [], { epoch: claim.epoch }))
          yield* claim.close(snapshot.bytes)
        },
        Effect.provideService(SessionStore.SessionStore, store),
        Effect.provideService(Signer.Signer, keyRing)
      )
      return SessionStore.SessionStore.of({
        ...store,
        claim: (id, options) =>
          Effect.uninterruptible(Effect.gen(function*() {
            const claim = yield* store.claim(id, options)
            let cameToSomething = false
            const notes = <E>(effect: Effect.Effect<void, E>) =>
              Effect.tap(effect, () =>
                Effect.sync(() => {
                  cameToSomething = true
                }))
            yield* Effect.addFinalizer(() => cameToSomething ? Effect.void : Effect.ignore(saveEmptied(claim)))
            const noted: SessionStore.Claim = {
              ...claim,
              begin: (journal) => notes(claim.begin(journal)),
              checkpoint: (snapshot, journal) => notes(claim.checkpoint(snapshot, journal)),
              close: (snapshot) => notes(claim.close(snapshot))
            }
            return noted
          }))
      })
    })
  )
}
