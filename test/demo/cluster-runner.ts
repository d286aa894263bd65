/**
 * One runner of the demonstration's cluster, with an agent that thinks for a while
 * about each question.
 *
 * `node cluster-runner.ts <url> <schema> <port> <name>`
 */
import { Console, Effect, Layer, Logger, Stream } from "effect"
import { ClusterSessions } from "../../src/cluster/index.ts"
import type { RunningSession } from "../../src/index.ts"
import { NodeMain } from "../../src/node/index.ts"
import { layerRunner } from "../cluster/cluster-stack.ts"

const [url = "", schema = "", port = "0", name = ""] = process.argv.slice(2)

const answers: Readonly<Record<string, string>> = {
  "What is 6 times 7?": "42.",
  "And how did you find that?": "I multiplied.",
  "Thank you.": "You're welcome."
}

const answer = (session: RunningSession) =>
  session.changes.pipe(
    Stream.filter(ClusterSessions.isAnswerDue),
    Stream.runForEach(Effect.fnUntraced(function*({ conversation }) {
      yield* Console.log("thinks")
      yield* Effect.sleep("1 second")
      const asked = conversation.at(-1)?.content
      const said = (typeof asked === "string" ? answers[asked] : undefined) ?? "I don't know."
      yield* session.append({ role: "assistant", content: `${said} (said on ${name}, process ${process.pid})` })
    }))
  )

const ready = Layer.effectDiscard(Console.log("up"))

NodeMain.runMain(
  Layer.launch(Layer.provide(ready, layerRunner({ database: { url, schema }, port: Number(port), agent: answer })))
    .pipe(
      Effect.provide(Logger.layer([]))
    )
)
