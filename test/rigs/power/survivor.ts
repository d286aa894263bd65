/**
 * The next process, after the power came back: what it finds, and whether it can
 * live with that.
 */
import { Effect } from "effect"
import { type SessionList, Sessions } from "../../../src/index.ts"
import * as Ledger from "./ledger.ts"
import * as Memory from "./memory.ts"
import * as Process from "./process.ts"
import { everything, labelOf } from "./world.ts"

const config = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }

const placeOf = (entry: SessionList.Stored | undefined): Ledger.Place =>
  entry === undefined ? "absent" : entry.status === "removed" ? "trash" : "stored"

const namesIn = (place: Process.Place, path: string) => Effect.orDie(place.fs.readDirectory(path))

/** Loads, resumes, continues, closes and loads one session again. */
const examineOne = Effect.fnUntraced(function*(
  place: Process.Place,
  entry: SessionList.Stored,
  expected: Ledger.Expected
) {
  const wrong: Array<string> = []
  const { id, status } = entry
  if (status === "running" || status === "elsewhere") wrong.push(`it is listed as ${status}`)
  if (expected.isClosed && status === "interrupted") wrong.push("its close was acknowledged, and it is interrupted")
  const { state } = yield* Sessions.load(id)
  const picture = Ledger.pictureOf(state)
  if (!Ledger.allows(expected, picture)) {
    const options = Ledger.allowed(expected).map(Ledger.format).join(" | or ")
    wrong.push(`it is ${Ledger.format(picture)} | and should be ${options}`)
  }
  if (status === "removed") yield* Sessions.restore(id)
  const session = yield* Sessions.resume(id)
  if (JSON.stringify(yield* session.state) !== JSON.stringify(state)) {
    wrong.push("it resumed another state than it loaded")
  }
  const text = "said after the power came back"
  yield* session.append({ role: "user", content: text })
  yield* Sessions.close(id)
  const again = yield* Sessions.load(id)
  if (!Ledger.isSame(Ledger.pictureOf(again.state), Ledger.after(picture, { _tag: "Said", text }))) {
    wrong.push("it lost something when it was resumed and closed")
  }
  const names = yield* namesIn(place, `${place.sessions}/${id}`)
  const epochs = names.flatMap((name) => /^lease\.(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? [])
  // A pending file of an epoch that is yet to come lost its lease with the power; that epoch's holder deletes it.
  const isToCome = (name: string) => Number(/^pending\.(\d+)\./.exec(name)?.[1] ?? 0) > Math.max(...epochs)
  const left = names.filter((name) => !/^(session\.json|lease\.\d+\.json)$/.test(name) && !isToCome(name))
  if (left.length > 0) wrong.push(`${left.join()} survived`)
  return wrong
})

/** Whether the store takes another session, and nothing is left beside the sessions. */
const goOn = Effect.fnUntraced(function*(place: Process.Place, root: string) {
  const fresh = yield* Sessions.create({ project: root, name: "fresh", config })
  yield* Sessions.close(fresh.id)
  yield* Sessions.cleanup()
  const strays = [...(yield* namesIn(place, place.sessions)), ...(yield* namesIn(place, root))]
    .filter((name) => /^(creating|deleting)\./.test(name))
  return strays.length > 0 ? [`${strays.join()} survived`] : []
})

/** Stands for the promise that the store goes on. */
const always = {}

const survey = Effect.fnUntraced(function*(
  place: Process.Place,
  root: string,
  ledger: Ledger.Ledger,
  { digest, recall }: Memory.Memory
) {
  const wrong: Array<string> = []
  const entries = yield* everything
  const found = new Map<string, SessionList.Stored>()
  for (const entry of entries) {
    if (entry._tag !== "Stored") {
      wrong.push(`it lists ${entry.name} as ${entry._tag}: ${entry.error.message}`)
      continue
    }
    const label = labelOf(entry.name)
    const expected = ledger.get(label)
    if (expected === undefined) wrong.push(`${label} is listed, which nobody created`)
    else if (expected.id !== undefined && expected.id !== entry.id) wrong.push(`${label} has another id`)
    found.set(label, entry)
  }
  for (const [label, expected] of ledger) {
    const entry = found.get(label)
    const where = placeOf(entry)
    if (!expected.places.includes(where)) {
      wrong.push(`${label} is ${where}, and should be ${expected.places.join(" or ")}`)
    }
    if (entry === undefined) continue
    const content = digest(`${place.sessions}/${entry.id}`)
    const findings = yield* recall(expected, content, examineOne(place, entry, expected))
    wrong.push(...findings.map((what) => `${label}: ${what}`))
  }
  const names = [
    ...(yield* namesIn(place, root)),
    ...(yield* Effect.orElseSucceed(place.fs.readDirectory(place.sessions), () => []))
  ]
  return [...wrong, ...(yield* recall(always, names.join(), goOn(place, root)))]
})

/** Everything that is wrong with what is left. */
export const examine = (
  place: Process.Place,
  root: string,
  ledger: Ledger.Ledger,
  memory: Memory.Memory
): Effect.Effect<ReadonlyArray<string>> =>
  Memory.none.recall(always, root, Process.once(place, survey(place, root, ledger, memory)))
