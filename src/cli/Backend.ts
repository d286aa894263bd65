/**
 * The services that commands work with, loaded when a command needs them.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { StoreError } from "../core/SessionError.ts"
import type * as NodeSessions from "../node/NodeSessions.ts"
import type * as ProjectDirectory from "../services/ProjectDirectory.ts"
import type * as SessionStore from "../services/SessionStore.ts"
import type { Failure } from "./Failure.ts"
import type * as Place from "./Place.ts"
import * as Where from "./Where.ts"

/**
 * What looking at the list needs. Opens no key ring, so nothing is created.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing = SessionStore.SessionStore | ProjectDirectory.ProjectDirectory

/**
 * How sessions are stored, where that is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type Protection = Pick<NodeSessions.Options, "allowPlain"> & {
  /** Turns encryption on, for good. */
  readonly encryption?: true
  /** Whether nothing is changed: a database whose tables are not those of this program is refused. */
  readonly isUntouched?: true
}

/** Why a place can't be used. */
type Unusable = StoreError | Failure

/**
 * @category services
 * @since 0.1.0
 */
export class Backend extends Context.Reference<{
  readonly sessions: (place: Place.Place, protection: Protection) => Layer.Layer<NodeSessions.Services, Unusable>
  readonly listing: (place: Place.Place) => Layer.Layer<Listing, Unusable>
}>("effect-reprise/cli/Backend", {
  defaultValue: () => ({
    sessions: (place, protection) =>
      place._tag === "Files"
        ? Layer.unwrap(Effect.map(
          Effect.promise(() => import("../node/NodeSessions.ts")),
          (module) => {
            const { isUntouched: _, ...options } = protection
            return module.layer({ ...options, directory: place.directory, smallCalls: "synchronous" })
          }
        ))
        : Layer.unwrap(Effect.map(
          Effect.promise(() => import("./Database.ts")),
          (module) => module.layerSessions(place, protection)
        )),
    listing: (place) =>
      place._tag === "Files"
        ? Layer.unwrap(Effect.map(
          Effect.promise(() => import("./Listing.ts")),
          (module) => module.layer({ directory: place.directory })
        ))
        : Layer.unwrap(Effect.map(
          Effect.promise(() => import("./Database.ts")),
          (module) => module.layerListing(place)
        ))
  })
}) {}

/**
 * Whether the environment asks for encryption.
 *
 * @category getters
 * @since 0.1.0
 */
export const fromEnvironment = Config.option(Config.String("REPRISE_ENCRYPT")).pipe(
  Effect.map((asked): Protection => Option.contains(asked, "1") ? { encryption: true } : {}),
  Effect.orElseSucceed((): Protection => ({}))
)

/**
 * Runs an effect on everything that sessions need, protected as it says. Running
 * sessions are closed, and so saved, when it ends.
 *
 * @category running
 * @since 0.1.0
 */
export const withProtected = (protection: Protection) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { sessions } = yield* Backend
    const place = yield* Where.place
    return yield* Effect.provide(effect, sessions(place, { ...yield* fromEnvironment, ...protection }))
  })

/**
 * Runs an effect on everything that sessions need. Running sessions are closed,
 * and so saved, when it ends. With `REPRISE_ENCRYPT=1` encryption is turned on.
 *
 * @category running
 * @since 0.1.0
 */
export const withSessions = withProtected({})

/**
 * Runs an effect on what looking at the list needs.
 *
 * @category running
 * @since 0.1.0
 */
export const withListing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { listing } = yield* Backend
    const place = yield* Where.place
    return yield* Effect.provide(effect, listing(place))
  })
