/** Documents written by hand, and signed with the real key. */
import { Option, Result } from "effect"
import * as Journal from "../../src/core/Journal.ts"
import type { KeyRing } from "../../src/core/Signature.ts"
import * as Signature from "../../src/core/Signature.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Text from "../../src/core/Text.ts"
import { Migration, type Session, type SessionEvent, SessionId, Timestamp } from "../../src/index.ts"

export const id = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
export const otherId = SessionId.make("0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f")
export const at = Timestamp.Timestamp.make("2026-01-31T09:30:00.000Z")
export const rules: Snapshot.Rules = { maxDepth: 64, format: Migration.current }

/** How a document is signed; by default as the store would. */
export interface Signing {
  readonly id?: SessionId.SessionId
  readonly version?: number
  readonly domain?: Signature.Subject["domain"]
}

/** The signature of these bytes. */
export const signatureOf = (keyRing: KeyRing, bytes: Uint8Array, signing: Signing = {}): string => {
  const subject = { domain: signing.domain ?? "snapshot", version: signing.version ?? 2, id: signing.id ?? id } as const
  const mac = Option.getOrThrow(Signature.start(keyRing, keyRing.current, subject))
  mac.update(bytes)
  return Signature.make(keyRing.current, mac.digest()).text
}

/** Signs the bytes of a document as far as its signature's comma. */
export const sign = (keyRing: KeyRing, bytes: Uint8Array, signing: Signing = {}): Uint8Array =>
  Text.concat([bytes, Text.toBytes(`,"signature":"${signatureOf(keyRing, bytes, signing)}"}`)])

/** The bytes of a signed document as far as its signature's comma. */
export const unsigned = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(0, Math.max(0, Buffer.from(bytes).lastIndexOf(`,"signature":"`)))

/** A session's document whose metadata is the given bytes, as far as the signature's comma. */
export const documentAround = (
  value: Uint8Array,
  project: string,
  { id: own = id, version = 2 }: Signing = {}
): Uint8Array =>
  Text.concat([
    Text.toBytes(
      `{"version":${version},"id":"${own}","epoch":1,"revision":0,"name":"forged","projectPath":${
        JSON.stringify(project)
      },"createdAt":"${at}","updatedAt":"${at}","closedAt":"${at}","messages":0,"todosOpen":0,"todosDone":0,` +
        `"config":{"provider":"p","model":"m","temperature":0,"maxTokens":1},"conversation":[\n\n],"todos":[],` +
        `"promptHistory":[],"usage":{"inputTokens":0,"outputTokens":0,"totalCost":0},"metadata":{"case":`
    ),
    value,
    Text.toBytes("}")
  ])

/** A file of version 1 with the given bytes as a value of its configuration, and as a member that nobody knows. */
export const version1Around = (value: Uint8Array, project: string): Uint8Array =>
  Text.concat([
    Text.toBytes(
      `{"closed_at":"${at}","conversation":[],"created_at":"${at}","id":"${id}","name":"old",` +
        `"project_path":${JSON.stringify(project)},"todos":[],"updated_at":"${at}","version":1,` +
        `"config":{"provider":"p","model":"m","temperature":0,"max_tokens":1,"case":`
    ),
    value,
    Text.toBytes(`},"case":`),
    value,
    Text.toBytes("}")
  ])

/** A journal that extends a snapshot: a batch for each list of events. */
export const journal = (
  keyRing: KeyRing,
  start: Journal.Start,
  batches: ReadonlyArray<ReadonlyArray<SessionEvent.SessionEvent>>
): Uint8Array => {
  const writer = Option.getOrThrow(Journal.writer(keyRing, start))
  return Text.concat([
    writer.firstLine,
    ...batches.map((batch) => writer.encode(batch.map((event) => ({ at, json: Text.toBytes(JSON.stringify(event)) }))))
  ])
}

/** A state as a signed snapshot. */
export const publish = (
  keyRing: KeyRing,
  state: Session.SessionState,
  publication: Snapshot.Publication = { epoch: 1 }
): Snapshot.Signed =>
  Option.getOrThrow(Snapshot.encode(keyRing, state, state.conversation.map(Snapshot.encodeMessage), publication))

/** The state in a signed snapshot. */
export const stateIn = (keyRing: KeyRing, bytes: Uint8Array, own = id): Session.SessionState =>
  Result.getOrThrow(Snapshot.open(keyRing, own, bytes, rules)).state
