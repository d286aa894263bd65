/** This library. */
import { Effect, Layer, Logger, ManagedRuntime, Stream } from "effect"
import { type SessionId, Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Stored from "../fixtures/sessions.ts"
import type { Variant } from "../variants.ts"
import type { Open } from "./peer.ts"

/** One of its variants. */
export const openWith = (variant: Variant): Open => async (directory) => {
  const place = { sessions: NodePath.join(directory, "sessions"), projects: NodePath.join(directory, "projects") }
  NodeFs.mkdirSync(place.projects)
  const runtime = ManagedRuntime.make(Layer.merge(variant.layer(place.sessions), Logger.layer([])))
  const ids = new Map<string, SessionId.SessionId>()
  const idOf = (id: string) => Effect.fromNullishOr(ids.get(id))
  return {
    create: async (id, messages) => {
      const session = await runtime.runPromise(Stored.start(place, messages))
      ids.set(id, session.id)
      await runtime.runPromise(session.checkpoint)
      return {
        append: (message) => runtime.runPromise(session.append(message)),
        close: () => runtime.runPromise(Sessions.close(session.id))
      }
    },
    load: (id) =>
      runtime.runPromise(
        Effect.flatMap(idOf(id), Sessions.load).pipe(Effect.map(({ state }) => state.conversation.length))
      ),
    list: () => runtime.runPromise(Stream.runCount(Sessions.list()))
  }
}
