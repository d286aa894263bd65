/**
 * Encrypts and decrypts snapshots and journals, each with a key of its own.
 *
 * **Details**
 *
 * The key of a file is HMAC-SHA256 with a key of the ring, over the file's purpose,
 * the session's id and 32 random bytes: so it is used for this one file, and nothing
 * of it opens in another session or as something else. Nonces count from 0 within
 * the file and never come twice: a snapshot has two, and each line of a journal
 * takes the next. The first line of the envelope and the number and write of a line
 * are associated data.
 *
 * @since 0.1.0
 */
import * as Aead from "effect/crypto/Aead"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Option from "effect/Option"
import { type Blob, Digest } from "../../core/Blob.ts"
import * as Envelope from "../../core/Envelope.ts"
import * as Head from "../../core/Head.ts"
import {
  BadCiphertext,
  BrokenJournal,
  EncryptionKeyMissing,
  EncryptionKeyWrong,
  IdMismatch,
  InvalidJson,
  StoreError
} from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type { KeyRing } from "../../core/Signature.ts"
import * as Text from "../../core/Text.ts"

type Purpose = "snapshot" | "journal" | "blob"

/** An encrypted snapshot, and the seal by which a journal names it. */
export interface Sealed {
  readonly bytes: Uint8Array
  readonly seal: string
}

/** An encrypted journal as it begins, and what its next lines are encrypted with. */
export interface SealedJournal {
  readonly bytes: Uint8Array
  /** Encrypts one write. What it was given is never encrypted with the same nonces again, also where the write failed. */
  readonly encode: (lines: Uint8Array) => Effect.Effect<Uint8Array, StoreError>
}

/** The most bytes that encrypting adds to a blob. */
export const blobOverhead = 128

const saltBytes = 32
const checkBytes = 16
const newline = 0x0a

const failsEncrypting = Effect.mapError((cause: unknown) => new StoreError({ operation: "encrypting", cause }))

/** Twelve bytes, big-endian: a file ends long before the counter does. */
const nonceOf = (number: number): Uint8Array => {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number))
  return nonce
}

/** Each line with its newline; what is behind the last newline too. */
const linesOf = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(newline, start) + 1 || bytes.length
    lines.push(bytes.subarray(start, end))
    start = end
  }
  return lines
}

const latin1 = new TextDecoder("latin1")

export const make = (services: {
  readonly aead: Aead.Aead["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly keyRing: KeyRing
}) => {
  const { aead, keyRing, random } = services

  /** What a key of the ring makes of some words. None without that key. */
  const derive = (keyId: string, words: ReadonlyArray<string>): Option.Option<Uint8Array> =>
    Option.map(keyRing.mac(keyId), (mac) => {
      mac.update(Text.toBytes(`effect-reprise encryption ${words.join("\n")}\n`))
      return mac.digest()
    })

  const fileKey = (purpose: Purpose, id: string, seal: string) =>
    Effect.gen(function*() {
      const keyId = Option.getOrElse(Envelope.keyIdOf(seal), () => "")
      const bytes = yield* Effect.fromOption(derive(keyId, ["key", purpose, id, seal]))
      const check = yield* Effect.fromOption(derive(keyId, ["check", seal]))
      const key = yield* Aead.key(Aead.chacha20Poly1305, bytes)
      return { key, check: Base64Url.encode(check.subarray(0, checkBytes)) }
    })

  /** A new seal with the newest key, and the key of the file. */
  const newKey = (purpose: Purpose, id: string) =>
    Effect.gen(function*() {
      const seal = Envelope.seal(keyRing.current, yield* random.randomBytes(saltBytes))
      return { seal, ...(yield* fileKey(purpose, id, seal)) }
    }).pipe(failsEncrypting)

  /** The key that a file was encrypted with. */
  const keyOf = (
    purpose: Purpose,
    id: SessionId,
    line: { readonly id: string; readonly seal: string; readonly check: string }
  ): Effect.Effect<Aead.Key, InvalidJson> => {
    const invalid = (reason: InvalidJson["reason"]) => Effect.fail(new InvalidJson({ id, reason }))
    const keyId = Option.getOrElse(Envelope.keyIdOf(line.seal), () => "")
    return Effect.matchEffect(fileKey(purpose, id, line.seal), {
      onFailure: () => invalid(new EncryptionKeyMissing({ keyId })),
      onSuccess: ({ check, key }) => {
        if (line.check !== check) return invalid(new EncryptionKeyWrong({ keyId }))
        return line.id === id ? Effect.succeed(key) : invalid(new IdMismatch({ found: line.id }))
      }
    })
  }

  const decrypt = (id: string, key: Aead.Key, number: number, aad: Uint8Array, piece: Uint8Array) =>
    Effect.mapError(
      aead.decrypt(key, piece, { nonce: nonceOf(number), aad }),
      () => new InvalidJson({ id, reason: new BadCiphertext({}) })
    )

  const encrypt = (key: Aead.Key, number: number, aad: Uint8Array, piece: Uint8Array) =>
    aead.encrypt(key, piece, { nonce: nonceOf(number), aad })

  const sealSnapshot = (id: SessionId, epoch: number, snapshot: Uint8Array): Effect.Effect<Sealed, StoreError> =>
    Effect.gen(function*() {
      const { check, key, seal } = yield* newKey("snapshot", id)
      const end = Head.prefix(snapshot).length
      const isSigned = Option.isSome(Head.signatureAtEnd(snapshot))
      const shown = Text.concat([Uint8Array.of(isSigned ? 1 : 0), snapshot.subarray(0, end)])
      const line: Envelope.SnapshotLine = {
        encrypted: Envelope.form,
        id,
        epoch,
        seal,
        check,
        head: shown.length + Envelope.tagBytes
      }
      const text = Text.toBytes(JSON.stringify(line))
      const head = yield* encrypt(key, 0, text, shown)
      const rest = yield* encrypt(key, 1, text, snapshot.subarray(end))
      return { bytes: Envelope.joinSnapshot(text, seal, head, rest), seal }
    }).pipe(failsEncrypting)

  const openSnapshot = (id: SessionId, bytes: Uint8Array): Effect.Effect<Uint8Array, InvalidJson> =>
    Effect.gen(function*() {
      const { head, line, rest, text } = yield* Effect.fromResult(Envelope.splitSnapshot(id, bytes))
      const key = yield* keyOf("snapshot", id, line)
      const shown = yield* decrypt(id, key, 0, text, head)
      return Text.concat([shown.subarray(1), yield* decrypt(id, key, 1, text, rest)])
    })

  /** The head alone, from the first bytes of an encrypted snapshot. */
  const openHead = (id: SessionId, bytes: Uint8Array) =>
    Effect.gen(function*() {
      const { bytes: text, line } = yield* Effect.fromResult(Envelope.snapshotLine(id, bytes))
      const key = yield* keyOf("snapshot", id, line)
      const start = text.length + 1
      const shown = yield* decrypt(id, key, 0, text, bytes.subarray(start, start + line.head))
      return { isSigned: shown[0] === 1, head: shown.subarray(1) }
    })

  const associated = (text: string, number: number, batch: number): Uint8Array =>
    Text.toBytes(`${text}\n${number}.${batch}`)

  const firstMark = ",\"first\":"

  const sealJournal = (
    id: SessionId,
    place: { readonly epoch: number; readonly part: number; readonly snapshot: string },
    first: Uint8Array
  ): Effect.Effect<SealedJournal, StoreError> =>
    Effect.gen(function*() {
      const { epoch, part, snapshot } = place
      const { check, key, seal } = yield* newKey("journal", id)
      const line = { encrypted: Envelope.form, id, epoch, part, seal, check, snapshot }
      const text = JSON.stringify(line).slice(0, -1)
      const piece = yield* encrypt(key, 0, associated(text, 0, 0), first)
      let next = 1
      const encode = (lines: Uint8Array) =>
        Effect.suspend(() => {
          const batch = next
          const pieces = linesOf(lines)
          next += pieces.length
          return Effect.forEach(pieces, (piece, index) => {
            const number = batch + index
            return Effect.map(
              encrypt(key, number, associated(text, number, batch), piece),
              (piece) => Envelope.recordLine({ number, batch, piece })
            )
          })
        }).pipe(Effect.map(Text.concat), failsEncrypting)
      return { bytes: Text.toBytes(`${text}${firstMark}"${Base64Url.encode(piece)}"}\n`), encode }
    }).pipe(failsEncrypting)

  /** A journal with all its lines, each a write of its own: damage before the last one is never taken for torn. */
  const sealWholeJournal = Effect.fnUntraced(function*(
    id: SessionId,
    snapshot: string,
    { bytes, epoch, part }: { readonly epoch: number; readonly part: number; readonly bytes: Uint8Array }
  ) {
    const end = bytes.indexOf(newline) + 1
    const first = yield* sealJournal(id, { epoch, part, snapshot }, bytes.subarray(0, end))
    return Text.concat([first.bytes, ...(yield* Effect.forEach(linesOf(bytes.subarray(end)), first.encode))])
  })

  /**
   * The lines of a journal. Damage in the last write is handed on as bytes that are
   * no line, for whoever reads it to leave out; further back the journal is broken.
   */
  const openJournal = (id: SessionId, bytes: Uint8Array): Effect.Effect<Uint8Array, InvalidJson> =>
    Effect.gen(function*() {
      const broken = (line: number) => new InvalidJson({ id, reason: new BrokenJournal({ line }) })
      const damaged = Effect.mapError((error: InvalidJson) => error.reason._tag === "BadCiphertext" ? broken(1) : error)
      const { bytes: firstLine, line } = yield* damaged(Effect.fromResult(Envelope.journalLine(id, bytes)))
      const key = yield* keyOf("journal", id, line)
      const whole = latin1.decode(firstLine)
      const text = whole.slice(0, whole.lastIndexOf(firstMark))
      if (whole !== `${text}${firstMark}"${line.first}"}`) return yield* broken(1)
      const sealed = yield* Effect.mapError(Effect.fromOption(Envelope.pieceOf(line.first)), () => broken(1))
      const pieces = [yield* damaged(decrypt(id, key, 0, associated(text, 0, 0), sealed))]
      let offset = firstLine.length + 1
      for (let number = 1; offset < bytes.length; number++) {
        const end = bytes.indexOf(newline, offset)
        const record = Option.filter(
          end < 0 ? Option.none() : Envelope.parseRecord(bytes.subarray(offset, end)),
          (record) => record.number === number
        )
        const piece = Option.isNone(record)
          ? Option.none()
          : yield* Effect.option(
            decrypt(id, key, number, associated(text, number, record.value.batch), record.value.piece)
          )
        if (Option.isNone(piece)) {
          const rest = bytes.subarray(offset)
          if (!Envelope.isLastWrite(rest, number)) return yield* broken(number + 1)
          pieces.push(new Uint8Array(rest.length))
          break
        }
        pieces.push(piece.value)
        offset = end + 1
      }
      return Text.concat(pieces)
    })

  /**
   * What a key makes of a blob's name: the same in every session, so that they can
   * share its bytes, and nothing to whoever knows the blob and not the key.
   */
  const blobName = (keyId: string, digest: Digest): Option.Option<Digest> =>
    Option.map(derive(keyId, ["name", keyId, digest]), (bytes) => Digest.make(Hex.encode(bytes)))

  const sealBlob = ({ bytes, digest }: Blob): Effect.Effect<Blob, StoreError> =>
    Effect.gen(function*() {
      const { check, key, seal } = yield* newKey("blob", digest)
      const name = yield* Effect.fromOption(blobName(keyRing.current, digest))
      const text = Text.toBytes(`${seal} ${check}`)
      return { digest: name, bytes: Text.concat([text, Uint8Array.of(newline), yield* encrypt(key, 0, text, bytes)]) }
    }).pipe(failsEncrypting)

  /** None where it is not what was encrypted under that name. */
  const openBlob = (digest: Digest, bytes: Uint8Array): Effect.Effect<Option.Option<Uint8Array>> =>
    Effect.gen(function*() {
      const end = bytes.subarray(0, blobOverhead).indexOf(newline)
      const text = bytes.subarray(0, Math.max(0, end))
      const [seal = "", found] = latin1.decode(text).split(" ")
      const { check, key } = yield* fileKey("blob", digest, seal)
      if (check !== found) return yield* new InvalidJson({ id: digest, reason: new BadCiphertext({}) })
      return yield* decrypt(digest, key, 0, text, bytes.subarray(end + 1))
    }).pipe(Effect.option)

  return {
    blobName,
    openBlob,
    openHead,
    openJournal,
    openSnapshot,
    sealBlob,
    sealJournal,
    sealSnapshot,
    sealWholeJournal
  }
}

export type Sealing = ReturnType<typeof make>
