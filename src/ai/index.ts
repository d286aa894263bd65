/**
 * Chats of effect/ai on running sessions.
 *
 * @since 0.1.0
 */
export * as Note from "./Note.ts"
export * as SessionChat from "./SessionChat.ts"
export * as SessionPrompt from "./SessionPrompt.ts"
