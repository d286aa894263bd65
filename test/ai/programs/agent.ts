/**
 * `agent.ts <sessions> <project> <id or new> <event>`: a process that works on a
 * session and kills itself at an event, counted from 1. It says the session's id
 * and each event as it comes.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { writeSync } from "node:fs"
import { ResumeLimit, SessionId, Sessions } from "../../../src/index.ts"
import { NodeMain, NodeSessions } from "../../../src/node/index.ts"
import * as Work from "./work.ts"

const [directory = "", project = "", id = "", killAt = ""] = process.argv.slice(2)

/** At once, so that nothing that was said is lost with the process. */
const say = (line: string) => void writeSync(1, `${line}\n`)

let events = 0

const tell = (event: string) =>
  Effect.sync(() => {
    say(event)
    if (++events === Number(killAt)) process.kill(process.pid, "SIGKILL")
  })

const config = { provider: "test", model: "model", temperature: 0.5, maxTokens: 1000 }

NodeMain.runMain(
  Effect.gen(function*() {
    const session = id === "new"
      ? yield* Sessions.create({ project, config })
      : yield* Sessions.resume(SessionId.make(id))
    say(session.id)
    yield* Work.work(session, project, tell)
    yield* Sessions.close(session.id)
    say("the end")
  }).pipe(Effect.provide(
    [
      Layer.mergeAll(NodeSessions.layerServices({ directory }), ResumeLimit.layerOff).pipe(
        Layer.provideMerge(NodeSessions.layerPlatform)
      ),
      Logger.layer([])
    ]
  ))
)
