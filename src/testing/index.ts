/**
 * For tests of applications that use sessions.
 *
 * @since 0.1.0
 */
export * as FileSystemHooks from "./FileSystemHooks.ts"
export * as SessionStoreSuite from "./SessionStoreSuite.ts"
export * as TestLiveness from "./TestLiveness.ts"
export * as TestSessions from "./TestSessions.ts"
