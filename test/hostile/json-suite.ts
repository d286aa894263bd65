/**
 * Runs cases of JSON through everything that reads a file: each as a file of its
 * own, which is no session and is refused, and as a value inside a document that
 * is properly signed, where it is accepted with its meaning, or refused.
 */
import { Cause, Effect, Exit, Schema, Stream } from "effect"
import * as NodeFs from "node:fs"
import { type SessionError, Sessions, Signer } from "../../src/index.ts"
import * as Forge from "./forge.ts"
import type { Case } from "./json-cases.ts"
import * as World from "./world.ts"

const verdicts = { y: "accept", n: "reject", i: "either" } as const

/** The cases in a directory of files `y_….json`, `n_….json` and `i_….json`. */
export const casesIn = (directory: string): ReadonlyArray<Case> =>
  NodeFs.readdirSync(directory).sort().flatMap((file): ReadonlyArray<Case> => {
    const [, name, kind] = /^((y|n|i)_.*)\.json$/s.exec(file) ?? []
    if (name === undefined || (kind !== "y" && kind !== "n" && kind !== "i")) return []
    const bytes = new Uint8Array(NodeFs.readFileSync(`${directory}/${file}`))
    return [{
      name,
      verdict: verdicts[kind],
      bytes,
      ...(kind === "y"
        ? { value: Schema.decodeUnknownSync(Schema.Json)(JSON.parse(new TextDecoder().decode(bytes))) }
        : {})
    }]
  })

/** A text that is the same for equal JSON values, whatever the order of keys; -0 is 0, as JSON writes it. */
const told = (value: Schema.Json | undefined): string =>
  JSON.stringify(
    value,
    (_key, member: Schema.Json) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => one < other ? -1 : 1))
        : member
  ) ?? "nothing"

type Answer<A> = { readonly _tag: "Success"; readonly value: A } | { readonly _tag: "Refused"; readonly by: string }

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

export const run = Effect.fnUntraced(function*(cases: ReadonlyArray<Case>) {
  const findings: Array<string> = []
  const counts = { accepted: 0, refused: 0 }
  const { project, root, sessions } = yield* World.workspace
  yield* Effect.forEach(cases, (one) => runOne(one), { discard: true }).pipe(
    Effect.provide(World.layer({ sessions, limits: { maxStored: 1_000_000 } }))
  )
  return { findings, counts }

  /** What came of an operation; a defect, an interruption or a slow answer is a finding. */
  function ask<A, R>(what: string, operation: Effect.Effect<A, SessionError.SessionError, R>) {
    return Effect.suspend(() => {
      const began = performance.now()
      return Effect.map(Effect.exit(operation), (exit): Answer<A> => {
        const took = performance.now() - began
        if (took > 5_000) findings.push(`${what}: took ${took} ms`)
        if (Exit.isSuccess(exit)) return { _tag: "Success", value: exit.value }
        const [reason] = exit.cause.reasons
        if (exit.cause.reasons.length === 1 && reason !== undefined && Cause.isFailReason(reason)) {
          return { _tag: "Refused", by: nameOf(reason.error) }
        }
        findings.push(`${what}: ${Cause.pretty(exit.cause).slice(0, 300)}`)
        return { _tag: "Refused", by: "defect" }
      })
    })
  }

  function runOne(one: Case) {
    const { bytes, name, value, verdict } = one
    const find = (what: string) => void findings.push(`${name}: ${what}`)
    const file = `${root}/file.json`

    const refused = (what: string, answer: Answer<unknown>) => {
      if (answer._tag === "Success") find(`${what} took it for a session`)
      else if (!answer.by.startsWith("InvalidJson/")) find(`${what} answered ${answer.by}`)
    }

    const list = Effect.map(
      ask(`${name}, list`, Stream.runCollect(Sessions.list())),
      (answer) =>
        answer._tag === "Success"
          ? answer.value.filter((entry) => entry._tag !== "Foreign" && entry.id === Forge.id)
          : []
    )

    /** As a file of its own it is never a session. */
    const alone = Effect.gen(function*() {
      World.put(sessions, Forge.id, { "session.json": bytes })
      NodeFs.writeFileSync(file, bytes)
      refused("load", yield* ask(`${name}, load`, Sessions.load(Forge.id)))
      refused("import", yield* ask(`${name}, import`, Sessions.importFile(file, { allowUnsigned: true })))
      const entries = yield* list
      if (entries.length !== 1 || entries[0]?._tag !== "Broken") find("list does not show it as broken")
    })

    /** Whether what was read is what the case means, or may be read at all. */
    const judge = (what: string, answer: Answer<Schema.Json | undefined>, isStrict: boolean) => {
      if (answer._tag === "Success") {
        counts.accepted++
        if (verdict === "reject") find(`${what} took it for ${told(answer.value).slice(0, 100)}`)
        if (verdict === "accept" && told(answer.value) !== told(value)) {
          find(`${what} read ${told(answer.value).slice(0, 100)} for ${told(value).slice(0, 100)}`)
        }
      } else {
        counts.refused++
        const isDuplicate = isStrict && name.includes("duplicate")
        if (verdict === "accept" && !isDuplicate) find(`${what} refused it with ${answer.by}`)
        if (!answer.by.startsWith("InvalidJson/")) find(`${what} refused it with ${answer.by}`)
      }
      if (isStrict && name.includes("duplicate") && answer._tag === "Success") find(`${what} took a key twice`)
    }

    const load = (what: string, id = Forge.id) =>
      Effect.map(
        ask(`${name}, ${what}`, Sessions.load(id)),
        (answer): Answer<Schema.Json | undefined> =>
          answer._tag === "Success"
            ? { _tag: "Success", value: answer.value.state.session.metadata["case"] }
            : answer
      )

    /** What is accepted is the same after the session was resumed and closed. */
    const survive = Effect.fnUntraced(
      function*(what: string, before: string, read: Effect.Effect<string, never, World.Services>) {
        const resumed = yield* ask(`${name}, ${what}, resume`, Sessions.resume(Forge.id))
        if (resumed._tag === "Refused") return find(`${what}: loads, but resume answers ${resumed.by}`)
        const closed = yield* ask(`${name}, ${what}, close`, Sessions.close(Forge.id))
        if (closed._tag === "Refused") return find(`${what}: close answers ${closed.by}`)
        const after = yield* read
        if (after !== before) find(`${what}: ${before.slice(0, 100)} became ${after.slice(0, 100)}`)
      }
    )

    const toldOf = (answer: Answer<Schema.Json | undefined>) =>
      answer._tag === "Success" ? told(answer.value) : answer.by

    const stored = Effect.gen(function*() {
      const keyRing = yield* Signer.Signer
      World.put(sessions, Forge.id, { "session.json": Forge.sign(keyRing, Forge.documentAround(bytes, project)) })
      const answer = yield* load("load")
      judge("load", answer, false)
      if ((yield* list).length !== 1) find("list does not show the session it is in")
      const verified = yield* ask(`${name}, verify`, Sessions.verify(Forge.id))
      if (verified._tag !== answer._tag) find("load and verify don't agree")
      if (answer._tag === "Success") yield* survive("load", told(answer.value), Effect.map(load("load again"), toldOf))
      else {
        const resumed = yield* ask(`${name}, resume`, Sessions.resume(Forge.id))
        if (resumed._tag === "Success") find("load refuses it and resume does not")
      }
    })

    const imported = Effect.fnUntraced(function*(
      what: string,
      document: Uint8Array,
      valueIn: (loaded: Sessions.LoadedSession) => ReadonlyArray<Schema.Json | undefined>
    ) {
      World.clear(sessions, Forge.id)
      NodeFs.writeFileSync(file, document)
      const answer = yield* ask(`${name}, ${what}`, Sessions.importFile(file, { allowUnsigned: true }))
      if (answer._tag === "Refused") {
        if (NodeFs.existsSync(`${sessions}/${Forge.id}`)) find(`${what} failed and stored something`)
        return judge(what, answer, true)
      }
      const values = Effect.map(
        ask(`${name}, ${what}, load`, Sessions.load(Forge.id)),
        (loaded) => loaded._tag === "Success" ? valueIn(loaded.value) : [loaded.by]
      )
      const read = yield* values
      for (const value of read) judge(what, { _tag: "Success", value }, true)
      yield* survive(
        what,
        told(read.map((value) => value ?? null)),
        Effect.map(values, (now) => told(now.map((value) => value ?? null)))
      )
    })

    return Effect.gen(function*() {
      const keyRing = yield* Signer.Signer
      yield* alone
      yield* stored
      yield* imported(
        "import of an export",
        Forge.sign(keyRing, Forge.documentAround(bytes, project), { domain: "export" }),
        ({ state }) => [state.session.metadata["case"]]
      )
      yield* imported(
        "import of version 1",
        Forge.version1Around(bytes, project),
        ({ state }) => [state.session.config["case"], state.extra["case"]]
      )
      World.clear(sessions, Forge.id)
    })
  }
}, Effect.scoped)
