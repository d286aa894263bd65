/**
 * The key ring that stored sessions are signed with, and where keys come from.
 *
 * @since 0.1.0
 */
export * from "./signer/Keys.ts"
export { layer as layerMachineSecret } from "./signer/MachineSecret.ts"
