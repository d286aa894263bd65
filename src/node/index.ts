/**
 * Sessions on Node.
 *
 * @since 0.1.0
 */
export * as NodeFiles from "./NodeFiles.ts"
export * as NodeHmac from "./NodeHmac.ts"
export * as NodeLiveness from "./NodeLiveness.ts"
export * as NodeMain from "./NodeMain.ts"
export * as NodePatternGuard from "./NodePatternGuard.ts"
export * as NodeSessions from "./NodeSessions.ts"
export * as NodeSqlite from "./NodeSqlite.ts"
