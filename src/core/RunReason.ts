/**
 * Why a session can't be created or resumed.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Holder from "./Holder.ts"
import { Timestamp } from "./Timestamp.ts"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/RunReason/${name}` as const

/**
 * Too many attempts. `retryAfter` is the time to wait.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>(error("RateLimited"))("RateLimited", {
  retryAfter: Schema.DurationFromMillis
}) {
  override get message(): string {
    return `too many attempts. Try again in ${Duration.format(this.retryAfter)}.`
  }
}

const project = { path: Schema.String }

/**
 * @category reasons
 * @since 0.1.0
 */
export class ProjectMissing extends Schema.TaggedError<ProjectMissing>(error("ProjectMissing"))(
  "ProjectMissing",
  project
) {
  override get message(): string {
    return `its project directory ${this.path} does not exist. Restore it, or pass the directory it moved to as project.`
  }
}

/**
 * @category reasons
 * @since 0.1.0
 */
export class ProjectNotDirectory extends Schema.TaggedError<ProjectNotDirectory>(error("ProjectNotDirectory"))(
  "ProjectNotDirectory",
  project
) {
  override get message(): string {
    return `its project ${this.path} is not a directory. Pass a directory as project.`
  }
}

/**
 * @category reasons
 * @since 0.1.0
 */
export class ProjectForbidden extends Schema.TaggedError<ProjectForbidden>(error("ProjectForbidden"))(
  "ProjectForbidden",
  project
) {
  override get message(): string {
    return `its project directory ${this.path} can't be entered. Grant this user access to it.`
  }
}

/**
 * The real directory is outside the roots that are allowed, or that it was to
 * be told relative to.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ProjectOutside extends Schema.TaggedError<ProjectOutside>(error("ProjectOutside"))("ProjectOutside", {
  ...project,
  roots: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `its project directory ${this.path} is outside ${this.roots.join(", ")}. Pass a directory inside as project.`
  }
}

/**
 * The directory was replaced, or changed owner or mode, between check and use.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ProjectChanged extends Schema.TaggedError<ProjectChanged>(error("ProjectChanged"))(
  "ProjectChanged",
  project
) {
  override get message(): string {
    return `its project directory ${this.path} was replaced meanwhile. Check what is there now, then try again.`
  }
}

/**
 * Another running session of this supervisor works in the same directory.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ProjectAlreadyOpen extends Schema.TaggedError<ProjectAlreadyOpen>(error("ProjectAlreadyOpen"))(
  "ProjectAlreadyOpen",
  { ...project, id: Schema.String }
) {
  override get message(): string {
    return `session ${this.id} is running in ${this.path}. Close it first.`
  }
}

/**
 * Somebody runs the session: this program (no `holder`), another process that
 * is `alive`, or one that can't be judged from here (`unknown`). Or it was
 * interrupted (`dead`), and what was asked for is only done to closed ones.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyRunning extends Schema.TaggedError<AlreadyRunning>(error("AlreadyRunning"))("AlreadyRunning", {
  liveness: Schema.Literals(["alive", "unknown", "dead"]),
  holder: Schema.optionalKey(Holder.Holder),
  since: Schema.optionalKey(Timestamp)
}) {
  override get message(): string {
    if (this.liveness === "dead") return "it was interrupted and holds unsaved events. Resume and close it first."
    if (this.holder === undefined) {
      return this.liveness === "alive"
        ? "it is running in this program. Use the running one, or close it first."
        : "its lease can't be read, so nobody can tell who runs it. Pass takeOver if you know that nobody does."
    }
    const since = this.since === undefined ? "" : ` since ${this.since}`
    return this.liveness === "alive"
      ? `it is running in ${Holder.format(this.holder)}${since}. Close it there or pass takeOver.`
      : `it was left running by ${Holder.format(this.holder)}${since}, which can't be seen from here. ` +
        "Pass takeOver if you know that it has ended."
  }
}

/**
 * @category reasons
 * @since 0.1.0
 */
export class TooManyRunning extends Schema.TaggedError<TooManyRunning>(error("TooManyRunning"))("TooManyRunning", {
  running: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `${this.running} sessions are running and the limit is ${this.limit}. Close one first.`
  }
}

/**
 * A session that breaks the rules of the current version. Issues name places
 * and expectations, never values.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidSession extends Schema.TaggedError<InvalidSession>(error("InvalidSession"))("InvalidSession", {
  issues: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `it is not a valid session: ${this.issues.join("; ")}. Correct that and try again.`
  }
}

/**
 * One step of restoring failed. `index` counts messages and prompts from 0.
 *
 * @category reasons
 * @since 0.1.0
 */
export class StepFailed extends Schema.TaggedError<StepFailed>(error("StepFailed"))("StepFailed", {
  step: Schema.Literals(["message", "todos", "prompt"]),
  index: Schema.Int,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `restoring ${this.step} ${this.index} failed. The stored session is unchanged; see cause.`
  }
}

/**
 * A session with this id is stored, or in the trash.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyStored extends Schema.TaggedError<AlreadyStored>(error("AlreadyStored"))("AlreadyStored", {
  id: Schema.String
}) {
  override get message(): string {
    return `session ${this.id} is stored already. Import it as a copy, or purge the stored one first.`
  }
}

/**
 * The session that was to be forked has no such message. `at` is what was asked
 * for: a number, or an id.
 *
 * @category reasons
 * @since 0.1.0
 */
export class MessageUnknown extends Schema.TaggedError<MessageUnknown>(error("MessageUnknown"))("MessageUnknown", {
  id: Schema.String,
  at: Schema.String,
  /** How many messages it has. */
  messages: Schema.Int
}) {
  override get message(): string {
    return `session ${this.id} has no message ${this.at} among its ${this.messages}. ` +
      "Pass a number from 1 on or the id of a message, or leave out at to fork all of it."
  }
}

/**
 * There is a file by that name.
 *
 * @category reasons
 * @since 0.1.0
 */
export class FileExists extends Schema.TaggedError<FileExists>(error("FileExists"))("FileExists", {
  path: Schema.String
}) {
  override get message(): string {
    return `${this.path} exists. Choose another name, or pass overwrite.`
  }
}

/**
 * The store holds as many sessions as it may.
 *
 * @category reasons
 * @since 0.1.0
 */
export class TooManyStored extends Schema.TaggedError<TooManyStored>(error("TooManyStored"))("TooManyStored", {
  stored: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `${this.stored} sessions are stored and the limit is ${this.limit}. ` +
      "Remove some with Sessions.cleanup, or raise SessionLimits.maxStored."
  }
}
