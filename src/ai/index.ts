/**
 * Chats of effect/ai on running sessions.
 *
 * @since 0.1.0
 */
export * as SessionPrompt from "./SessionPrompt.ts"
