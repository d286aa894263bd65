/**
 * Stores that encrypt, with known keys.
 */
import { NodeCrypto } from "@effect/platform-node"
import { Layer, Redacted } from "effect"
import { Encryption, SessionStore, type Signer } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"

export type Key = Signer.Key

/** A key by that id, of that byte. */
export const key = (id: string, byte: number): Key => ({ id, secret: Redacted.make(new Uint8Array(32).fill(byte)) })

export const defaultKeys = [key("secret", 9)]

/** What an encrypted store needs beside the store below: keys, newest first. */
export const layer = (keys: ReadonlyArray<Key> = defaultKeys) =>
  Layer.mergeAll(
    Layer.provide(Encryption.layer({ keys }), NodeHmac.layer),
    NodeCrypto.layerAead,
    NodeCrypto.layerSecureRandom
  )

/** An encrypted store around files, on the file system that is there. */
export const layerFiles = (
  directory: string,
  { keys, ...options }: SessionStore.EncryptedOptions & { readonly keys?: ReadonlyArray<Key> } = {}
) => Layer.provide(SessionStore.layerEncrypted(SessionStore.layerFileSystem({ directory }), options), layer(keys))
