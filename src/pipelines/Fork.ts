/**
 * From a stored session to another one that begins as it was.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Check from "../core/Check.ts"
import * as Fork from "../core/Fork.ts"
import type { Parent } from "../core/Session.ts"
import { Name } from "../core/Session.ts"
import {
  CreateFailed,
  type InvalidJson,
  MessageUnknown,
  NotFound,
  type SchemaVersion,
  StoreError
} from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import { now } from "../services/Now.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import { SessionStore } from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import { takeBack } from "./Create.ts"
import { handOver } from "./HandOver.ts"
import * as Load from "./Load.ts"
import * as Placement from "./Placement.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ForkOptions {
  /** The last message that it takes: its id, or its number from 1 on. By default all of them. */
  readonly at?: string | number
  /** 1 to 50 characters; by default `Fork of` and the name of the parent. */
  readonly name?: string
  /** An existing directory, absolute; by default the parent's. Stored as its real path. */
  readonly project?: string
}

/**
 * What a fork took, and what it could not take as it was asked to.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForkReport {
  readonly id: SessionId.SessionId
  readonly name: string
  readonly projectPath: string
  readonly parent: Parent
  /** Messages beyond `at`: up to the answers of tool calls that would have been cut off. */
  readonly beyond: number
  /** Messages of the parent that it does not have. */
  readonly leftOut: number
  /** To-dos of the parent that it does not have: all of them, where messages were left out. */
  readonly todosLeftOut: number
  /** Tool calls that nobody has answered in the parent either. */
  readonly openCalls: number
}

const isName = Check.make(Name)

const attempt = Effect.fn("Sessions.fork")(function*(
  parent: SessionId.SessionId,
  options: ForkOptions,
  made: (id: SessionId.SessionId) => Effect.Effect<void>
) {
  const store = yield* SessionStore
  const random = yield* SecureRandom.SecureRandom
  const { fingerprint } = yield* ProjectDirectory
  const stored = yield* store.read(parent)
  if (stored.status === "removed") return yield* new NotFound({ target: `${parent} outside the trash` })
  const { state: from } = yield* Load.open(parent, stored)

  const name = yield* Effect.mapError(
    Effect.fromResult(isName(options.name ?? Fork.nameOf(from.session.name))),
    ([{ expected }]) => Placement.invalid(`name is not ${expected}`)
  )
  const { beyond, messages, openCalls } = yield* Effect.fromResult(
    Result.fromOption(Fork.cut(from.conversation, options.at), () =>
      new CreateFailed({
        reason: new MessageUnknown({ id: parent, at: String(options.at), messages: from.conversation.length })
      }))
  )
  const { path: projectPath } = yield* Effect.mapError(
    fingerprint(options.project ?? from.session.projectPath),
    (reason) => reason instanceof StoreError ? reason : new CreateFailed({ reason })
  )
  const id = SessionId.make(yield* random.uuidV4())
  const state = Fork.make(from, messages, { id, name, projectPath, at: yield* now })
  yield* store.alone(Effect.uninterruptible(Effect.andThen(Placement.place(state, Option.none(), parent), made(id))))
  yield* Effect.annotateLogs(Effect.logInfo("forked"), { forkId: id, messages })
  const report: ForkReport = {
    id,
    name,
    projectPath,
    parent: { id: parent, revision: from.revision, messages },
    beyond,
    leftOut: from.conversation.length - messages,
    todosLeftOut: from.todos.length - state.todos.length,
    openCalls
  }
  return report
}, (effect, id) => Telemetry.ofSession("fork")(effect, id))

/**
 * Makes a new session of a stored one, with its conversation up to a message, and
 * its lineage: `parent`. It is stored closed, for `resume` to open: a fork of a
 * session that runs may stand beside it in the same project.
 *
 * **Details**
 *
 * Of a session that runs, here or elsewhere, it takes the acknowledged state at
 * that moment. The parent stays as it is, byte for byte, whoever runs it; where
 * room must be made for the fork the parent is not what goes. One in the trash is
 * restored first (`NotFound`).
 *
 * Messages keep their ids and times. A cut between a tool call and its answer moves
 * behind the answer (`beyond`), since no provider takes the one without the other;
 * a call that the parent has no answer for either stays open (`openCalls`) and is
 * answered as after a crash, by the chat at its next turn. With `at`, usage is that
 * of the messages taken, and to-dos are left out; prompts, configuration and
 * metadata are the parent's.
 *
 * The project must exist and be allowed, as for `create`. Called twice it makes two
 * sessions. When it fails, or is interrupted, nothing is stored.
 *
 * @category operations
 * @since 0.1.0
 */
export const fork = (
  id: SessionId.SessionId,
  options: ForkOptions = {}
): Effect.Effect<
  ForkReport,
  NotFound | InvalidJson | SchemaVersion | CreateFailed | StoreError,
  SessionStore | Signer | ProjectDirectory | SecureRandom.SecureRandom
> => handOver((made) => attempt(id, options, made), takeBack)
