/**
 * Another name for a session.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Check from "../core/Check.ts"
import { Name } from "../core/Session.ts"
import {
  EventRejected,
  Invalid,
  type InvalidJson,
  type NotFound,
  RestoreFailed,
  type SchemaVersion,
  type SessionEnded,
  type StoreError
} from "../core/SessionError.ts"
import * as SessionEvent from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"
import { now } from "../services/Now.ts"
import type { SessionStore } from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import { Supervisor } from "../services/Supervisor.ts"
import { rewrite } from "./Rewrite.ts"
import * as Telemetry from "./Telemetry.ts"

const isName = Check.make(Name)

/** Renames a session that does not run here. */
const renameStored = Effect.fnUntraced(function*(id: SessionId, name: string) {
  const rejected = (expected: string) => new EventRejected({ id, reason: new Invalid({ path: "name", expected }) })
  yield* Effect.mapError(Effect.fromResult(isName(name)), ([{ expected }]) => rejected(expected))
  const at = yield* now
  yield* rewrite(id, ({ state }) =>
    Effect.fromResult(
      Result.mapError(
        SessionEvent.apply(state, { at, event: { _tag: "Renamed", name } }),
        ({ expected }) => rejected(expected)
      )
    )).pipe(
      Effect.catchTags({
        AlreadyRunning: (reason) => new RestoreFailed({ id, reason }),
        TooLarge: (reason) => new EventRejected({ id, reason })
      })
    )
})

/**
 * Renames a session, wherever it is: one that runs here through its handle, a
 * stored one in its snapshot.
 *
 * **Details**
 *
 * Called twice it is renamed twice. A session that runs elsewhere is left alone
 * (`RestoreFailed` with `AlreadyRunning`). When it fails nothing has changed.
 *
 * @category operations
 * @since 0.1.0
 */
export const rename: (id: SessionId, name: string) => Effect.Effect<
  void,
  NotFound | InvalidJson | SchemaVersion | RestoreFailed | EventRejected | SessionEnded | StoreError,
  SessionStore | Signer | Supervisor
> = Effect.fn("Sessions.rename")(function*(id: SessionId, name: string) {
  const session = yield* Supervisor.use(({ get }) => get(id))
  yield* Option.match(session, {
    onNone: () => renameStored(id, name),
    onSome: (running) => running.rename(name)
  })
  yield* Effect.logInfo("renamed")
}, Telemetry.ofSession("rename"))
