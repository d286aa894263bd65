/**
 * Histories of other agents in files, and the rules that the interfaces of model
 * providers have for a conversation.
 */
import { assert } from "@effect/vitest"
import { Schema } from "effect"
import type { Session } from "effect-reprise"
import { Prompt } from "effect/ai"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

/** Where files are that each agent's own program wrote, or that are laid out as its code says. */
export const fixtures = fileURLToPath(new URL("../fixtures/history/", import.meta.url))

export const agents = ["claude-code", "codex", "gemini", "opencode", "pi"] as const

const Records = Schema.Struct({
  read: Schema.Int,
  mapped: Schema.Int,
  kept: Schema.Int,
  skipped: Schema.Int,
  reasons: Schema.Array(Schema.Json),
  changes: Schema.Array(Schema.Json)
})

const Expected = Schema.fromJsonString(Schema.Record(
  Schema.String,
  Schema.Struct({
    id: Schema.String,
    parent: Schema.optionalKey(Schema.String),
    records: Records,
    session: Schema.Record(Schema.String, Schema.Json)
  })
))

/** What is in an agent's fixtures, by that agent's own ids of the sessions. */
export const expected = (agent: typeof agents[number]) =>
  Schema.decodeSync(Expected)(NodeFs.readFileSync(`${fixtures}../history-expected/${agent}.json`, "utf8"))

/** Every file below a directory. */
export const filesBelow = (directory: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => NodePath.join(entry.parentPath, entry.name))
    .sort()

/** Puts the fixtures where the agents have them below a home directory. */
export const layOut = (home: string): void => {
  const places = {
    "claude-code": ".claude/projects/-home-me-project",
    codex: ".codex/sessions/2026",
    gemini: ".gemini/tmp/project/chats",
    "opencode/storage": ".local/share/opencode/storage",
    pi: ".pi/agent/sessions"
  }
  for (const [from, to] of Object.entries(places)) {
    NodeFs.cpSync(`${fixtures}${from}`, NodePath.join(home, to), { recursive: true })
  }
}

const History = Schema.Struct({ history: Schema.Struct({ cwd: Schema.optionalKey(Schema.String) }) })

/** What the metadata of an imported session says of where it comes from. */
export const historyOf = (metadata: unknown) => Schema.decodeUnknownSync(History)(metadata).history

const partsOf = ({ content }: Session.Message): ReadonlyArray<Session.Part> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const decodePrompt = Schema.decodeUnknownSync(Prompt.Prompt)

const callsOf = (message: Session.Message) => partsOf(message).filter((part) => part.type === "tool-call")
const resultsOf = (message: Session.Message) => partsOf(message).filter((part) => part.type === "tool-result")

/** Fails unless a provider would take the conversation: effect/ai does, and each call is answered at once, once. */
export const assertAcceptable = (conversation: ReadonlyArray<Session.Message>): void => {
  decodePrompt({ content: conversation.map(({ content, role }) => ({ role, content })) })
  const ids = conversation.map(({ id }) => id)
  assert.strictEqual(new Set(ids).size, ids.length, "ids of messages")
  const calls = conversation.flatMap((message) => callsOf(message).map(({ id }) => id))
  assert.strictEqual(new Set(calls).size, calls.length, "ids of calls")
  for (const [index, message] of conversation.entries()) {
    const parts = partsOf(message)
    assert.notStrictEqual(parts.length, 0, "a message says something")
    for (const part of parts) if (part.type === "text") assert.notStrictEqual(part.text.trim(), "")
    const inside = resultsOf(message).map(({ id }) => id)
    const open = callsOf(message).map(({ id }) => id).filter((id) => message.role === "tool" || !inside.includes(id))
    const next = conversation[index + 1]
    if (open.length > 0) {
      assert.strictEqual(next?.role, "tool", "calls are answered at once")
      if (next !== undefined) assert.deepStrictEqual(resultsOf(next).map(({ id }) => id), open)
    }
    if (message.role === "tool") {
      const before = conversation[index - 1]
      assert.strictEqual(before?.role, "assistant", "what a tool says answers a call")
      assert.lengthOf(resultsOf(message), parts.length)
    }
  }
}
