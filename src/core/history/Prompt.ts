/**
 * What a person typed, as distinct from what programs put into their mouth.
 *
 * @since 0.1.0
 */
import * as Session from "../Session.ts"
import type { Said } from "./History.ts"

/** How texts begin that agents add as the person's. */
const added =
  /^\s*(<(environment_context|user_instructions|user_shell_command|permissions|collaboration_mode|session_context|hook_context|local-command|command-|system-reminder|task-notification|ide_|INSTRUCTIONS)|# AGENTS\.md|Caveat: The messages below|\/[a-z]+\s*$)/

const textOf = ({ parts }: Said): string => {
  const part = parts.find((part) => part.type === "text")
  return part?.type === "text" ? part.text : ""
}

/**
 * Whether a person typed it.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isTyped = (said: Said): boolean => {
  if (said.role !== "user") return false
  const { isBranchSummary, isCompactSummary, isMeta } = said.metadata ?? {}
  if (isMeta === true || isCompactSummary === true || isBranchSummary === true) return false
  const text = textOf(said)
  return text.trim() !== "" && !added.test(text)
}

/** Before the person's own words, in files of editors. */
const marker = "## My request for Codex:"

/**
 * What a conversation may be called that begins with this: its first line.
 *
 * @category getters
 * @since 0.1.0
 */
export const titleOf = (said: Said): string | undefined => {
  if (!isTyped(said)) return undefined
  const text = textOf(said)
  const at = text.indexOf(marker)
  const own = (at < 0 ? text : text.slice(at + marker.length)).trim()
  const [line = ""] = own.slice(0, Session.nameLimits.bytes).split("\n")
  const name = Session.nameFrom(line.trim().replaceAll(/\s+/g, " "), "")
  return name === "" ? undefined : name
}
