/**
 * What became of a history, in lines for people.
 *
 * @since 0.1.0
 */
import type { HistoryKind } from "../core/history/History.ts"
import type { Counts } from "../core/history/Tally.ts"
import type { HistoryOutcome } from "../pipelines/HistoryReport.ts"
import * as Printable from "./Printable.ts"
import * as Words from "./Words.ts"

const names: { readonly [Kind in HistoryKind]: string } = {
  "claude-code": "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "OpenCode",
  pi: "pi"
}

const records = ({ changes, kept, mapped, read, reasons, skipped }: Counts): ReadonlyArray<string> => [
  `  ${Words.count(read, "record")}: ${mapped} mapped, ${kept} kept as metadata, ${skipped} skipped`,
  ...reasons.map(({ count, first, outcome, reason }) =>
    `  ${count} ${outcome}: ${Printable.line(reason)} (first: ${first})`
  ),
  ...changes.map(({ change, count }) => `  ${count} × ${Printable.line(change)}`)
]

/**
 * The lines; none for a file that is ignored or failed, which are told together.
 *
 * @category rendering
 * @since 0.1.0
 */
export const lines = (outcome: HistoryOutcome): ReadonlyArray<string> => {
  const file = Printable.line(outcome.source)
  switch (outcome._tag) {
    case "Imported": {
      const { agent, from, id, leftOut, messages, name, projectExists, projectPath } = outcome
      const whose = agent === undefined ? names[from] : `${names[from]}, sub-agent ${Printable.line(agent)}`
      return [
        `Imported ${file} as ${id}: ${Printable.line(name)}, ${Words.count(messages, "message")} (${whose}).`,
        ...(leftOut === 0
          ? []
          : [`  ${Words.count(leftOut, "older message")} left out: a session can't be that large`]),
        ...records(outcome.records),
        ...(projectExists
          ? []
          : [`  ${Printable.line(projectPath)} is not there: reprise resume ${id} --project DIR`])
      ]
    }
    case "AlreadyStored":
      return [
        outcome.isRemoved
          ? `${file} is in the trash as ${outcome.id}: reprise restore ${outcome.id}`
          : `${file} is stored already as ${outcome.id}.`
      ]
    case "Empty":
      return [`${file} holds no conversation (${names[outcome.from]}).`, ...records(outcome.records)]
    case "Ignored":
    case "Failed":
      return []
  }
}
