/**
 * Resuming, against a load and the calls that it makes beyond that, and with the
 * last messages alone, against L. What the first event costs, which makes the lease
 * durable that a resume only writes down.
 */
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Conversation from "../fixtures/conversation.ts"
import * as Stored from "../fixtures/sessions.ts"
import * as Floors from "../measuring/floors.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

/** Messages that are delivered at first. */
const tail = 20

/** Of a session whose load takes no longer than what the collector adds to one and not to another. */
const limitOfResume = (bytes: number): Rows.Limit => bytes <= 200_000 ? { must: 0.5, aim: 0.1 } : {}

const limitOfTail = (bytes: number): Rows.Limit => bytes >= 500_000 ? { must: 0.6 } : {}

const message = Conversation.ofExactly(1024)

export const resume = Effect.fnUntraced(function*(setting: Setting) {
  const { scale, seed } = setting
  const place = Stored.place(setting.root, "resume")
  const { base, processes } = yield* Stored.openAll(setting, place)
  const log = Floors.append(yield* Floors.openLog(setting.root))
  return yield* Effect.forEach(
    scale.kinds,
    Effect.fnUntraced(function*(kind) {
      const stored = base.run(Stored.store(place, Stored.messagesOf(seed, kind)))
      const id = yield* stored
      // Another one of its size, for what appends, so that the first does not grow.
      const growing = yield* stored
      const bytes = Stored.bytesIn(Stored.filesOf(place, id))
      return yield* Effect.forEach(
        processes,
        Effect.fnUntraced(function*({ run, variant }) {
          const load = run(Sessions.load(id))
          const resumed = (options: Sessions.ResumeOptions): Rounds.Subject => (time) =>
            run(Effect.andThen(time(Sessions.resume(id, options)), Sessions.close(id)))
          const first: Rounds.Subject = (time) =>
            run(Effect.andThen(
              Effect.flatMap(Sessions.resume(growing), (session) => time(session.append(message))),
              Sessions.close(growing)
            ))
          const calls = Floors.resume({
            session: NodeFs.mkdtempSync(NodePath.join(setting.root, "resume-")),
            project: setting.root,
            onThreads: variant.name === "FileSystem"
          })
          const [loads = [], bare = [], resumes = [], floors = [], ends = [], firsts = [], lines = []] = yield* Rounds
            .alternate([
              Rounds.whole(load),
              calls,
              resumed({}),
              Floors.load(Stored.filesOf(place, id)),
              resumed({ tail }),
              first,
              log
            ], { ...scale, ...scale.resuming })
          const title = { of: Stored.nameOf(kind), variant: variant.name }
          return [
            Rows.compare(
              { ...title, operation: "resume, over load" },
              { unit: "ms over it", relation: Rows.difference },
              resumes,
              loads
            ),
            Rows.compare(
              { ...title, operation: "resume, over load and its calls", ...limitOfResume(bytes) },
              { unit: "ms over them", relation: Rows.difference },
              resumes,
              Rounds.sum(loads, bare)
            ),
            Rows.compare(
              {
                ...title,
                operation: `resume, last ${tail} messages`,
                ...limitOfTail(bytes)
              },
              { unit: "L" },
              ends,
              floors
            ),
            Rows.compare({ ...title, operation: "first append after a resume" }, { unit: "A" }, firsts, lines)
          ]
        })
      )
    })
  )
}, Effect.map((rows) => rows.flat(2)))
