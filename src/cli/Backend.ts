/**
 * The services that commands work with, loaded when a command needs them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StoreError } from "../core/SessionError.ts"
import type * as NodeSessions from "../node/NodeSessions.ts"
import type * as ProjectDirectory from "../services/ProjectDirectory.ts"
import type * as SessionStore from "../services/SessionStore.ts"
import * as Where from "./Where.ts"

/**
 * What looking at the list needs. Opens no key ring, so nothing is created.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing = SessionStore.SessionStore | ProjectDirectory.ProjectDirectory

/**
 * @category services
 * @since 0.1.0
 */
export class Backend extends Context.Reference<{
  readonly sessions: (directory: string) => Layer.Layer<NodeSessions.Services, StoreError>
  readonly listing: (directory: string) => Layer.Layer<Listing, StoreError>
}>("effect-reprise/cli/Backend", {
  defaultValue: () => ({
    sessions: (directory) =>
      Layer.unwrap(Effect.map(
        Effect.promise(() => import("../node/NodeSessions.ts")),
        (module) => module.layer({ directory, smallCalls: "synchronous" })
      )),
    listing: (directory) =>
      Layer.unwrap(Effect.map(
        Effect.promise(() => import("./Listing.ts")),
        (module) => module.layer({ directory })
      ))
  })
}) {}

/**
 * Runs an effect on everything that sessions need. Running sessions are closed,
 * and so saved, when it ends.
 *
 * @category running
 * @since 0.1.0
 */
export const withSessions = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { sessions } = yield* Backend
    const directory = yield* Where.directory
    return yield* Effect.provide(effect, sessions(directory))
  })

/**
 * Runs an effect on what looking at the list needs.
 *
 * @category running
 * @since 0.1.0
 */
export const withListing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { listing } = yield* Backend
    const directory = yield* Where.directory
    return yield* Effect.provide(effect, listing(directory))
  })
