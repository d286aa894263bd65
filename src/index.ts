/**
 * Persists, lists, loads and resumes the sessions of AI agents.
 *
 * @since 0.1.0
 */
export * as Holder from "./core/Holder.ts"
export * as ProjectPath from "./core/ProjectPath.ts"
export * as Retention from "./core/Retention.ts"
export * as Session from "./core/Session.ts"
export * as SessionError from "./core/SessionError.ts"
export * as SessionEvent from "./core/SessionEvent.ts"
export * as SessionId from "./core/SessionId.ts"
export * as SessionList from "./core/SessionList.ts"
export * as Timestamp from "./core/Timestamp.ts"
export * as Sessions from "./pipelines/Sessions.ts"
export * as Telemetry from "./pipelines/Telemetry.ts"
export * as Agent from "./services/Agent.ts"
export * as Hmac from "./services/Hmac.ts"
export * as Liveness from "./services/Liveness.ts"
export * as ProjectDirectory from "./services/ProjectDirectory.ts"
export * as Redaction from "./services/Redaction.ts"
export * as RestoreStep from "./services/RestoreStep.ts"
export * as ResumeLimit from "./services/ResumeLimit.ts"
export type { RunningSession } from "./services/RunningSession.ts"
export * as SessionLimits from "./services/SessionLimits.ts"
export * as SessionStore from "./services/SessionStore.ts"
export * as Signer from "./services/Signer.ts"
export * as Supervisor from "./services/Supervisor.ts"
