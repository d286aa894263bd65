/**
 * A session as it is stored, snapshot and journals, and what it comes to once
 * all of it is verified.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Journal from "./Journal.ts"
import type { Format } from "./Migration.ts"
import type { SessionState } from "./Session.ts"
import type { InvalidJson, SchemaVersion } from "./SessionError.ts"
import type { Recorded } from "./SessionEvent.ts"
import type { SessionId } from "./SessionId.ts"
import type { KeyRing } from "./Signature.ts"
import * as Snapshot from "./Snapshot.ts"

/**
 * The bytes of one session at one moment.
 *
 * **Details**
 *
 * `journals` come in the order in which they were begun. All but the last one that
 * names the present snapshot are cut after their first line.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredBytes {
  readonly snapshot: Uint8Array
  readonly journals: ReadonlyArray<Uint8Array>
}

/**
 * A verified session.
 *
 * **Details**
 *
 * `recorded` are the events that the journal added to the snapshot. `torn` counts the
 * bytes at its end that were left out: a write that a crash cut short, or the one
 * that is under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verified {
  readonly state: SessionState
  /** The UTF-8 of all messages, as `Snapshot.encode` takes them. */
  readonly messages: ReadonlyArray<Uint8Array>
  readonly snapshot: Snapshot.Opened
  readonly isOpen: boolean
  readonly recorded: ReadonlyArray<Recorded>
  readonly torn: number
  /** The journal that counts, as far as it is whole. */
  readonly journal: Option.Option<WholeJournal>
}

/** A verified journal without what was torn from its end: whose it is, and its bytes. */
interface WholeJournal {
  readonly epoch: number
  readonly part: number
  readonly bytes: Uint8Array
}

/**
 * Where a session begins anew: a snapshot, and the journal that names it and has
 * nothing in it yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Begun {
  readonly snapshot: Snapshot.Signed
  readonly journal: Journal.Writer
}

/**
 * Encodes and signs a state as a snapshot, and begins its journal. None without
 * a key to sign with.
 *
 * @category encoding
 * @since 0.1.0
 */
export const begin = (
  keyRing: KeyRing,
  state: SessionState,
  messages: ReadonlyArray<Uint8Array>,
  { part, ...publication }: Snapshot.Publication & { readonly part: number }
): Option.Option<Begun> =>
  Option.gen(function*() {
    const snapshot = yield* Snapshot.encode(keyRing, state, messages, publication)
    const journal = yield* Journal.writer(keyRing, {
      id: state.session.id,
      epoch: publication.epoch,
      part,
      snapshot: snapshot.signature,
      revision: state.revision,
      ...(publication.version === undefined ? {} : { version: publication.version })
    })
    return { snapshot, journal }
  })

/**
 * Verifies snapshot and journals and folds them.
 *
 * **Details**
 *
 * The journal that names the present snapshot counts; the last one begun, if
 * there are several. The first lines of the others are verified as well: a bit
 * that flips there must not hide what was acknowledged.
 *
 * @category decoding
 * @since 0.1.0
 */
export const open = (
  keyRing: KeyRing,
  id: SessionId,
  stored: StoredBytes,
  rules: Snapshot.Rules
): Result.Result<Verified, InvalidJson | SchemaVersion> =>
  Result.flatMap(
    Snapshot.open(keyRing, id, stored.snapshot, rules),
    (snapshot) =>
      stored.journals.length === 0
        ? Result.succeed(closed(snapshot))
        : withJournals(keyRing, id, stored.journals, rules, snapshot)
  )

const closed = (snapshot: Snapshot.Opened): Verified => ({
  state: snapshot.state,
  get messages() {
    return snapshot.messages
  },
  snapshot,
  isOpen: false,
  recorded: [],
  torn: 0,
  journal: Option.none()
})

const withJournals = (
  keyRing: KeyRing,
  id: SessionId,
  stored: StoredBytes["journals"],
  rules: Snapshot.Rules,
  snapshot: Snapshot.Opened
): Result.Result<Verified, InvalidJson | SchemaVersion> =>
  Result.gen(function*() {
    const journals = yield* Result.all(stored.map((bytes) => Journal.open(keyRing, id, bytes, rules)))
    const index = journals.findLastIndex(({ snapshot: named }) => named === snapshot.signature)
    const journal = Option.fromUndefinedOr(journals[index])
    if (Option.isNone(journal)) return closed(snapshot)
    const state = yield* Journal.fold(snapshot.state, journal.value)
    const appended = state.conversation.slice(snapshot.state.conversation.length)
    return {
      state,
      get messages() {
        return [...snapshot.messages, ...appended.map(Snapshot.encodeMessage)]
      },
      snapshot,
      isOpen: true,
      recorded: journal.value.events,
      torn: journal.value.torn,
      journal: Option.map(
        Option.fromUndefinedOr(stored[index]),
        (bytes): WholeJournal => ({
          epoch: journal.value.epoch,
          part: journal.value.part,
          bytes: bytes.subarray(0, bytes.length - journal.value.torn)
        })
      )
    }
  })

/**
 * The format version of the stored snapshot, where it is an older one.
 *
 * @category getters
 * @since 0.1.0
 */
export const olderVersion = ({ snapshot }: Verified, format: Format): Option.Option<number> =>
  snapshot.version < format.version ? Option.some(snapshot.version) : Option.none()

/**
 * Whether two readings hold the same session, byte for byte.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSame = (self: StoredBytes, that: StoredBytes): boolean =>
  isSameBytes(self.snapshot, that.snapshot) && self.journals.length === that.journals.length &&
  self.journals.every((bytes, index) => isSameBytes(bytes, that.journals[index]))

const isSameBytes = (self: Uint8Array, that: Uint8Array | undefined): boolean => {
  if (that === undefined || self.length !== that.length) return false
  for (let index = 0; index < self.length; index++) {
    if (self[index] !== that[index]) return false
  }
  return true
}
