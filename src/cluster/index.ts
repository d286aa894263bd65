/**
 * Sessions on many machines.
 *
 * @since 0.1.0
 */
export * as ClusterSessions from "./ClusterSessions.ts"
