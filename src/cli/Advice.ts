/**
 * Why things fail, and what to do next, in the words of the command line.
 *
 * @since 0.1.0
 */
import * as Holder from "../core/Holder.ts"
import type * as SessionError from "../core/SessionError.ts"
import { ExitCode } from "./ExitCode.ts"

/**
 * Why something failed and what to do next, and what a run ends with where that
 * is not 1.
 *
 * @category models
 * @since 0.1.0
 */
export type Advice = readonly [why: string, next: string, exitCode?: ExitCode]

const holderOf = (reason: SessionError.AlreadyRunning): string =>
  `${reason.holder === undefined ? "another process" : Holder.format(reason.holder)}${
    reason.since === undefined ? "" : ` since ${reason.since}`
  }`

/**
 * What is wrong with a stored document, and how to get a good one back.
 *
 * @category advice
 * @since 0.1.0
 */
export const stored = (reason: SessionError.InvalidJson["reason"], id: string): Advice => {
  const backup = `Put the file back from a backup, or remove the session: reprise delete ${id}`
  switch (reason._tag) {
    case "UnknownKey":
      return [wrong(reason), "Put the key ring back that has this key: reprise doctor tells where it is"]
    case "IdMismatch":
      return [wrong(reason), "Put the file back under its own id."]
    case "Unsigned":
      return [
        wrong(reason),
        `If you trust it, take it out of there and bring it in: reprise import FILE --allow-unsigned`
      ]
    case "Encrypted":
      return [wrong(reason), "Read it with the key ring that was there when it was written: reprise doctor"]
    case "NotEncrypted":
      return [wrong(reason), "Encrypt everything that is not: reprise keys encrypt"]
    case "EncryptionKeyMissing":
    case "EncryptionKeyWrong":
      return [wrong(reason), "Put the key ring back that has this key: reprise doctor tells where it is"]
    case "UnknownEncryption":
      return [wrong(reason), "Update the program: npm install -g effect-reprise@latest"]
    default:
      return [wrong(reason), backup]
  }
}

/**
 * What is wrong with a file that was to be imported, and how it may come in all the same.
 *
 * @category advice
 * @since 0.1.0
 */
export const imported = (reason: SessionError.InvalidJson["reason"]): Advice => {
  switch (reason._tag) {
    case "Unsigned":
      return [wrong(reason), "If you trust it, take it as it is: --allow-unsigned"]
    case "UnknownKey":
      return [
        wrong(reason),
        "Give the secret that it was signed with: --secret-file FILE. Or, if you trust it: --allow-unsigned"
      ]
    case "Shape":
      return [
        wrong(reason),
        reason.path === "id" ? "Give it an id of its own: --copy" : "Get the file again from where it was written."
      ]
    default:
      return [wrong(reason), "Get the file again from where it was written."]
  }
}

const wrong = (reason: SessionError.InvalidJson["reason"]): string => {
  switch (reason._tag) {
    case "TooLarge":
      return `It has ${reason.bytes} bytes, and at most ${reason.limit} are read.`
    case "NotUtf8":
      return "The file is not UTF-8 text."
    case "Syntax":
      return `The file is not JSON from offset ${reason.offset} on.`
    case "Shape":
      return `${reason.path === "" ? "The document" : reason.path} is not ${reason.expected}.`
    case "Unsigned":
      return "The file has no signature."
    case "BadSignature":
      return "Its signature does not fit its content: the file was changed."
    case "UnknownKey":
      return `It is signed with the key ${reason.keyId}, which is not in the key ring.`
    case "IdMismatch":
      return "It holds another session than its name says."
    case "BrokenJournal":
      return `Its journal is damaged at line ${reason.line}.`
    case "Encrypted":
      return `It is encrypted with the key ${reason.keyId}, and encryption is off here.`
    case "NotEncrypted":
      return "It is not encrypted, and everything else here is."
    case "EncryptionKeyMissing":
      return `It is encrypted with the key ${reason.keyId}, which is not in the key ring.`
    case "EncryptionKeyWrong":
      return `The key ${reason.keyId} is not the one that it was encrypted with, or its first line was changed.`
    case "BadCiphertext":
      return "It can't be decrypted: the file was changed."
    case "UnknownEncryption":
      return `It is encrypted in form ${reason.found}, which this program does not know.`
  }
}

/**
 * Why a session was not created or resumed; `id` is empty where there is none yet.
 *
 * @category advice
 * @since 0.1.0
 */
export const run = (
  reason: SessionError.RestoreFailed["reason"] | SessionError.CreateFailed["reason"],
  id: string
): Advice => {
  switch (reason._tag) {
    case "RateLimited":
      return [reason.message, "Wait that long and try again."]
    case "ProjectMissing":
      return [
        `There is no directory ${reason.path}.`,
        id === "" ? "Create it, or name another one." : `If it moved: reprise resume ${id} --project DIR`
      ]
    case "ProjectNotDirectory":
      return [`${reason.path} is not a directory.`, "Name a directory."]
    case "ProjectForbidden":
      return [`${reason.path} can't be read by you.`, "Change its permissions, or name another one."]
    case "ProjectOutside":
      return [`${reason.path} is outside ${reason.roots.join(", ")}.`, "Name a directory inside."]
    case "AlreadyStored":
      return [`Session ${reason.id} is stored already, or in the trash.`, "Bring it in beside that one: --copy"]
    case "MessageUnknown":
      return [
        `It has ${reason.messages === 1 ? "1 message" : `${reason.messages} messages`}, and none is ${reason.at}.`,
        `See their numbers: reprise show ${reason.id}`,
        ExitCode.notFound
      ]
    case "ProjectChanged":
      return [`${reason.path} was replaced meanwhile.`, "Look at what is there now, and try again."]
    case "ProjectAlreadyOpen":
      return [`Session ${reason.id} is running in ${reason.path}.`, "Close it first.", ExitCode.busy]
    case "AlreadyRunning":
      switch (reason.liveness) {
        case "dead":
          return [
            "It was interrupted and holds events that are not in its snapshot yet.",
            `Save it first, by resuming it: reprise resume ${id}`
          ]
        case "alive":
          return [
            `It is running in ${holderOf(reason)}.`,
            `Leave it there first, or take it: reprise resume ${id} --take-over`,
            ExitCode.busy
          ]
        case "unknown":
          return [
            `It was left running by ${holderOf(reason)}, which can't be seen from here.`,
            `If you know that it has ended: reprise resume ${id} --take-over`,
            ExitCode.busy
          ]
      }
    case "TooManyRunning":
      return [`${reason.running} sessions are running, and ${reason.limit} may.`, "Close one first.", ExitCode.busy]
    case "TooManyStored":
      return [
        `${reason.stored} sessions are stored, and ${reason.limit} may be.`,
        "Make room: reprise cleanup --older-than 30d, or reprise delete TARGET"
      ]
    case "InvalidSession":
      return [
        `${reason.issues.join("; ")}.`,
        reason.issues.some((issue) => issue.includes("as project"))
          ? "Say where its project is here: --project DIR, or --root DIR for what it was told relative to"
          : "Correct that and try again."
      ]
    case "StepFailed":
      return [`Restoring ${reason.step} ${reason.index} failed.`, "Nothing was changed. Look into it with --verbose."]
  }
}

/**
 * Why a session was not exported.
 *
 * @category advice
 * @since 0.1.0
 */
export const exported = (reason: SessionError.ExportFailed["reason"], id: string): Advice => {
  switch (reason._tag) {
    case "FileExists":
      return [`${reason.path} exists.`, "Name another file with --output, or replace it: --overwrite"]
    case "TooLarge":
      return [
        `In one file it would have ${reason.bytes} bytes, and no more than ${reason.limit} could be imported.`,
        "Copy the sessions directory instead, and its key ring."
      ]
    case "ProjectOutside":
      return run(reason, id)
  }
}

/**
 * Why a session refused an event.
 *
 * @category advice
 * @since 0.1.0
 */
export const rejected = (reason: SessionError.EventRejected["reason"]): Advice => {
  switch (reason._tag) {
    case "Invalid":
      return [`${reason.path === "" ? "It" : reason.path} is not ${reason.expected}.`, "Correct that and try again."]
    case "TooLarge":
      return [
        `The session would have ${reason.bytes} bytes, and ${reason.limit} may be.`,
        "Go on in a new session: reprise new"
      ]
    case "PartTooLarge":
      return [
        `One of its parts has ${reason.bytes} bytes, and ${reason.limit} may be.`,
        "Make it smaller: a picture of less detail, or a part of the file."
      ]
    case "PartsFull":
      return [
        `Its large parts would have ${reason.bytes} bytes, and ${reason.limit} may be.`,
        "Go on in a new session: reprise new"
      ]
    case "Refused":
      return ["The agent's redaction refused it.", "Leave out what must not be stored."]
  }
}

/**
 * Why a session is over.
 *
 * @category advice
 * @since 0.1.0
 */
export const ended = (reason: SessionError.SessionEnded["reason"], id: string): Advice => {
  switch (reason._tag) {
    case "Closed":
      return ["It was closed.", `Resume it again: reprise resume ${id}`]
    case "NotRunning":
      return ["It is not running here.", `Resume it first: reprise resume ${id}`]
    case "LeaseLost":
      return [
        reason.holder === undefined
          ? "Its lease is lost: it was taken over, or its store was out of reach for too long."
          : `It was taken over by ${Holder.format(reason.holder)}.`,
        `Go on there, or take it back: reprise resume ${id} --take-over`,
        ExitCode.busy
      ]
  }
}
