/**
 * Where sessions are stored: the contract, and its layers.
 *
 * @since 0.1.0
 */
export * from "./store/Contract.ts"
export { layer as layerEncrypted, type Options as EncryptedOptions } from "./store/EncryptedStore.ts"
export { layer as layerFileSystem } from "./store/FileSystemStore.ts"
export { layer as layerMemory } from "./store/MemoryStore.ts"
