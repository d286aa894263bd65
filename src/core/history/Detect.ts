/**
 * Whose history it is, told by what is in it.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import * as ClaudeCode from "./ClaudeCode.ts"
import * as Codex from "./Codex.ts"
import * as Gemini from "./Gemini.ts"
import type { HistoryKind, Reader } from "./History.ts"
import * as OpenCode from "./OpenCode.ts"
import * as Pi from "./Pi.ts"

/** The most particular first. */
const agents = [Codex, Gemini, ClaudeCode, Pi, OpenCode] as const

/**
 * The agent that a record is of; `undefined` where it could be anybody's.
 *
 * @category getters
 * @since 0.1.0
 */
export const ofRecord = (record: JsonObject): Reader | undefined =>
  agents.find(({ isRecord }) => isRecord(record))?.reader

/**
 * The reader of an agent's records.
 *
 * @category getters
 * @since 0.1.0
 */
export const reader = (kind: HistoryKind): Reader => {
  switch (kind) {
    case "claude-code":
      return ClaudeCode.reader
    case "codex":
      return Codex.reader
    case "gemini":
      return Gemini.reader
    case "pi":
      return Pi.reader
    case "opencode":
      return OpenCode.reader
  }
}
