/** A store that lets sessions be claimed out of the trash. */
import { Effect, Layer } from "effect"
import { SessionStore } from "../../../src/index.ts"

export const store: Layer.Layer<SessionStore.SessionStore, never, SessionStore.SessionStore> = Layer.effect(
  SessionStore.SessionStore,
  SessionStore.SessionStore.use((store) =>
    Effect.succeed({
      ...store,
      read: (id) =>
        Effect.map(
          store.read(id),
          (stored) => stored.status === "removed" ? { ...stored, status: "closed" as const } : stored
        ),
      claim: (id, options) => Effect.andThen(Effect.ignore(store.restore(id)), store.claim(id, options))
    })
  )
)
