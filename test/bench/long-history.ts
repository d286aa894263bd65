/** A history of any size, as Claude Code or Codex would write it, a turn after the other. */
import * as NodeFs from "node:fs"

const said = "The quick brown fox jumps over the lazy dog. ".repeat(40)

const claude = function*(turn: number) {
  const time = new Date(1_767_225_600_000 + turn * 1000).toISOString()
  const uuid = (record: number) => `aaaaaaaa-0000-4000-8000-${String(turn * 10 + record).padStart(12, "0")}`
  const record = (number: number, type: string, message: object, extra: object = {}) => ({
    parentUuid: turn === 0 && number === 0 ? null : uuid(number - 1),
    isSidechain: false,
    cwd: "/",
    sessionId: "1f8fad5b-d9cb-469f-a165-70867728950e",
    version: "2.0.46",
    type,
    message: { role: type, ...message },
    uuid: uuid(number),
    timestamp: time,
    ...extra
  })
  yield record(0, "user", { content: `Question ${turn}` })
  for (let call = 0; call < 4; call++) {
    const id = `toolu_${turn}_${call}`
    yield record(1 + 2 * call, "assistant", {
      id: `msg_${turn}_${call}`,
      model: "claude",
      content: [{ type: "tool_use", id, name: "Bash", input: { command: "ls" } }],
      usage: { input_tokens: 10, output_tokens: 5 }
    })
    yield record(2 + 2 * call, "user", { content: [{ type: "tool_result", tool_use_id: id, content: said }] }, {
      toolUseResult: { stdout: said }
    })
  }
  yield record(9, "assistant", { id: `msg_${turn}`, model: "claude", content: [{ type: "text", text: said }] })
}

const codex = function*(turn: number) {
  const timestamp = new Date(1_767_225_600_000 + turn * 1000).toISOString()
  const item = (payload: object) => ({ timestamp, type: "response_item", payload })
  if (turn === 0) yield { timestamp, type: "session_meta", payload: { id: "long", cwd: "/", timestamp } }
  yield item({ type: "message", role: "user", content: [{ type: "input_text", text: `Question ${turn}` }] })
  for (let call = 0; call < 4; call++) {
    const id = `call_${turn}_${call}`
    yield item({ type: "function_call", name: "shell", arguments: "{}", call_id: id })
    yield item({ type: "function_call_output", call_id: id, output: said })
  }
  yield item({ type: "message", role: "assistant", content: [{ type: "output_text", text: said }] })
}

const agents = { claude, codex }

/** Writes a history of at least so many bytes, and says how many records it has. */
export const write = (file: string, agent: keyof typeof agents, bytes: number): number => {
  const descriptor = NodeFs.openSync(file, "w")
  let size = 0
  let records = 0
  for (let turn = 0; size < bytes; turn++) {
    const lines = [...agents[agent](turn)].map((record) => `${JSON.stringify(record)}\n`)
    records += lines.length
    size += NodeFs.writeSync(descriptor, lines.join(""))
  }
  NodeFs.closeSync(descriptor)
  return records
}
