/**
 * What looking at the list needs on Node.
 *
 * @since 0.1.0
 */
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Envelope from "../core/Envelope.ts"
import * as SessionList from "../core/SessionList.ts"
import * as NodeFiles from "../node/NodeFiles.ts"
import * as NodeLiveness from "../node/NodeLiveness.ts"
import type * as NodeSessions from "../node/NodeSessions.ts"
import * as ProjectDirectory from "../services/ProjectDirectory.ts"
import * as SessionStore from "../services/SessionStore.ts"

interface Options extends Pick<NodeSessions.Options, "store"> {
  readonly directory: string
}

const isEncrypted = (entry: SessionList.Entry): boolean => entry._tag === "Broken" && entry.encrypted !== undefined

/** The store that has the keys. */
const decrypting = (options: Options) =>
  Layer.unwrap(Effect.map(
    Effect.promise(() => import("../node/NodeSessions.ts")),
    (module) => module.layer({ ...options, smallCalls: "synchronous" })
  ))

/**
 * A store of files that asks for keys only where there is something to decrypt:
 * whoever has nothing encrypted opens no key ring. Without them sessions are listed
 * by their ids.
 */
const layerStore = (options: Options) =>
  Layer.effect(
    SessionStore.SessionStore,
    Effect.gen(function*() {
      const store = yield* SessionStore.SessionStore
      const withKeys = <A, E>(use: (store: SessionStore.SessionStore["Service"]) => Effect.Effect<A, E>) =>
        Effect.provide(SessionStore.SessionStore.use(use), decrypting(options))
      const entries = Stream.unwrap(Effect.gen(function*() {
        const found = yield* Stream.runCollect(store.entries)
        const shown = found.some(isEncrypted)
          ? yield* Effect.orElseSucceed(withKeys(({ entries }) => Stream.runCollect(entries)), () => found)
          : found
        return Stream.fromIterable(shown)
      }))
      const read: typeof store.read = (id) =>
        Effect.filterOrElse(
          store.read(id),
          ({ snapshot }) => !Envelope.isEncrypted(snapshot),
          () => withKeys(({ read }) => read(id))
        )
      const index = store.list
      // No index knows what is encrypted.
      const list: typeof index = index && ((filter) =>
        Stream.unwrap(Effect.gen(function*() {
          const first = yield* Stream.runHead(store.entries)
          if (!Option.exists(first, isEncrypted)) return index(filter)
          return Stream.fromIterable(SessionList.select(yield* Stream.runCollect(entries), filter))
        })))
      return SessionStore.SessionStore.of({ ...store, entries, list, read })
    })
  ).pipe(Layer.provide(options.store ?? SessionStore.layerFileSystem(options)))

/**
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options) =>
  Layer.mergeAll(layerStore(options), ProjectDirectory.layer).pipe(
    Layer.provide(Layer.mergeAll(
      NodeFiles.layer({ below: options.directory, smallCalls: "synchronous" }),
      NodePath.layer,
      SecureRandom.layerWebCrypto,
      NodeLiveness.layer
    ))
  )
