/**
 * What processes do to sessions, each with what it promises: written down when
 * it begins, and when it is acknowledged.
 */
import { Clock, Effect, Exit, Option } from "effect"
import { type RunningSession, Sessions } from "../../../src/index.ts"
import type { NodeSessions } from "../../../src/node/index.ts"
import * as Ledger from "./ledger.ts"
import type { Process } from "./process.ts"
import type { Handle, World } from "./world.ts"
import { does, look } from "./world.ts"

/** Done by a process to the session with a label: it returns early where that is killed. */
export type Operation = (world: World, process: Process, label: string) => Effect.Effect<void>

const configOf = (model: string) => ({ provider: "test", model, temperature: 0, maxTokens: 1 })
const firstModel = "model"

const idOf = (world: World, label: string) => {
  const id = world.ledger().get(label)?.id
  return id === undefined ? Effect.die(new Error(`${label} has no id`)) : Effect.succeed(id)
}

/** Everything that it may say now has to be what it says. */
const settle = (world: World, label: string, what: string, picture: Ledger.Picture) => {
  const expected = world.ledger().get(label)
  if (expected !== undefined && !Ledger.allows(expected, picture)) {
    world.findings.push(`${what} came to ${Ledger.format(picture)}, which nobody said`)
  }
  world.say(label, (before) => ({ ...Ledger.settled(before, picture), places: ["stored"] }))
}

export const create: Operation = Effect.fnUntraced(function*(world, process, label) {
  const project = `${world.root}/${label}`
  world.say(label, (before) => ({
    ...Ledger.settled(before, Ledger.blank(label, project, firstModel)),
    places: ["absent", "stored"]
  }))
  const created = Sessions.create({ project, name: label, config: configOf(firstModel) })
  const session = yield* does(world, process, `create of ${label}`, created)
  if (Option.isNone(session)) return
  world.say(label, (before) => ({ ...before, id: session.value.id, places: ["stored"] }))
  world.running.set(label, { process, session: session.value })
})

const send = (session: RunningSession, event: Ledger.Event): Effect.Effect<unknown, { readonly _tag: string }> => {
  switch (event._tag) {
    case "Said":
      return session.append({ role: "user", content: event.text })
    case "Todos":
      return session.replaceTodos(event.todos.map((content) => ({ content, status: "pending", activeForm: content })))
    case "Prompt":
      return session.recordPrompt(event.prompt)
    case "Renamed":
      return session.rename(event.name)
    case "Configured":
      return session.configure(configOf(event.model))
    case "Moved":
      return Effect.die(new Error("a running session does not move"))
  }
}

/** Acknowledges one more event of an attempt that nothing has settled meanwhile. */
const acknowledge = (world: World, label: string, attempt: Ledger.Attempt) =>
  world.say(
    label,
    (before) =>
      before.attempt === attempt && before.acknowledged < attempt.events.length
        ? { ...before, acknowledged: before.acknowledged + 1 }
        : before
  )

/** Events all at once. In which order they happened, the session tells afterwards. */
export const submit = (
  events: (world: World, label: string) => Effect.Effect<ReadonlyArray<Ledger.Event>>
): Operation =>
  Effect.fnUntraced(function*(world, process, label) {
    const handle = world.running.get(label)
    if (handle === undefined) return
    const attempt: Ledger.Attempt = { events: yield* events(world, label) }
    const count = attempt.events.length
    world.say(label, (before) => Ledger.attempting(before, attempt))
    const sent = Effect.forEach(
      attempt.events,
      (event) => Effect.tap(send(handle.session, event), () => Effect.sync(() => acknowledge(world, label, attempt))),
      { concurrency: "unbounded", discard: true }
    )
    const state = yield* does(world, process, `${count} events of ${label}`, Effect.andThen(sent, handle.session.state))
    if (Option.isNone(state)) return
    const picture = Ledger.pictureOf(state.value)
    if (count > 1) {
      const said = picture.conversation.slice(-count).map((text): Ledger.Event => ({ _tag: "Said", text }))
      const sorted = (all: ReadonlyArray<Ledger.Event>) => all.map((event) => JSON.stringify(event)).sort().join()
      if (sorted(said) === sorted(attempt.events)) attempt.events = said
    }
    settle(world, label, `${count} events of ${label}`, picture)
  })

export const checkpoint: Operation = Effect.fnUntraced(function*(world, process, label) {
  const handle = world.running.get(label)
  if (handle !== undefined) yield* does(world, process, `checkpoint of ${label}`, handle.session.checkpoint)
})

export const close: Operation = Effect.fnUntraced(function*(world, process, label) {
  world.say(label, Ledger.begin)
  const closed = yield* does(world, process, `close of ${label}`, Sessions.close(yield* idOf(world, label)))
  if (Option.isNone(closed)) return
  world.running.delete(label)
  world.say(label, (before) => ({ ...before, isClosed: true }))
})

const resumeWith = (options: { readonly moves: boolean; readonly takeOver: boolean }): Operation =>
  Effect.fnUntraced(function*(world, process, label) {
    const { moves, takeOver } = options
    const project = `${world.root}/${label}${world.next() % 2 === 0 ? "" : "-moved"}`
    if (moves) world.say(label, (before) => Ledger.attempting(before, { events: [{ _tag: "Moved", project }] }))
    else world.say(label, (before) => Ledger.begin(before))
    const id = yield* idOf(world, label)
    const resumed = yield* does(
      world,
      process,
      `resume of ${label}`,
      Effect.flatMap(
        Sessions.resume(id, { takeOver, ...(moves ? { project } : {}) }),
        (session) => Effect.map(session.state, (state) => ({ session, picture: Ledger.pictureOf(state) }))
      )
    )
    if (Option.isNone(resumed)) return
    const { picture, session } = resumed.value
    if (moves && picture.project !== project) world.findings.push(`${label} did not move to ${project}`)
    settle(world, label, `resume of ${label}`, picture)
    world.running.set(label, { process, session })
  })

export const resume = resumeWith({ moves: false, takeOver: false })
export const move = resumeWith({ moves: true, takeOver: false })

export const rename: Operation = Effect.fnUntraced(function*(world, process, label) {
  const event: Ledger.Event = { _tag: "Renamed", name: `${label} renamed ${world.next()}` }
  world.say(label, (before) => Ledger.attempting(before, { events: [event] }))
  const id = yield* idOf(world, label)
  const renamed = yield* does(world, process, `rename of ${label}`, Sessions.rename(id, event.name))
  if (Option.isNone(renamed)) return
  world.say(label, (before) => ({
    ...Ledger.settled(before, ...before.pictures.map((picture) => Ledger.after(picture, event))),
    places: ["stored"]
  }))
})

export const remove: Operation = Effect.fnUntraced(function*(world, process, label) {
  world.say(label, (before) => Ledger.begin(before, "trash"))
  const removed = Sessions.remove(yield* idOf(world, label), { interrupted: true })
  const done = yield* does(world, process, `remove of ${label}`, removed)
  if (Option.isSome(done)) world.say(label, (before) => ({ ...before, places: ["trash"] }))
})

export const restore: Operation = Effect.fnUntraced(function*(world, process, label) {
  world.say(label, (before) => Ledger.begin(before, "stored"))
  const done = yield* does(world, process, `restore of ${label}`, Sessions.restore(yield* idOf(world, label)))
  if (Option.isSome(done)) world.say(label, (before) => ({ ...before, places: ["stored"] }))
})

/** What a crash brings back of a purged session is in the trash, and complete. */
export const purge: Operation = Effect.fnUntraced(function*(world, process, label) {
  world.say(label, (before) => Ledger.begin(before, "absent"))
  const done = yield* does(world, process, `purge of ${label}`, Sessions.purge(yield* idOf(world, label)))
  if (Option.isSome(done)) world.say(label, (before) => ({ ...before, places: ["absent", "trash"] }))
})

/** The clock as it will be in sixty days. */
const inSixtyDays = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const later = 60 * 24 * 60 * 60 * 1000
    const shifted: Clock.Clock = {
      sleep: (duration) => clock.sleep(duration),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + later,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + later),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(later) * 1_000_000n,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (nanos) => nanos + BigInt(later) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos
    }
    return Effect.provideService(effect, Clock.Clock, shifted)
  })

/** Every closed session goes to the trash, and everything in the trash for ever. */
export const cleanup: Operation = Effect.fnUntraced(function*(world, process) {
  const seen = yield* look(world, process)
  if (Option.isNone(seen)) return
  for (const [label, { status }] of seen.value) {
    if (status === "closed") world.say(label, (before) => Ledger.begin(before, "trash"))
    if (status === "removed") world.say(label, (before) => Ledger.begin(before, "absent"))
  }
  const done = yield* does(world, process, "cleanup", inSixtyDays(Sessions.cleanup()))
  if (Option.isNone(done)) return
  const { failed, purged, removed } = done.value
  const labelOfId = (id: string) => [...seen.value].find(([, entry]) => entry.id === id)?.[0] ?? id
  for (const { id } of removed) world.say(labelOfId(id), (before) => ({ ...before, places: ["trash"] }))
  for (const { id } of purged) world.say(labelOfId(id), (before) => ({ ...before, places: ["absent", "trash"] }))
  for (const { entry, error } of failed) world.findings.push(`cleanup of ${entry.id} failed: ${error.message}`)
})

/** The end of a process saves what runs in it. */
export const shutDown: Operation = Effect.fnUntraced(function*(world, process) {
  const labels = [...world.running].filter(([, handle]) => handle.process === process).map(([label]) => label)
  for (const label of labels) world.say(label, (before) => Ledger.begin(before))
  const done = yield* process.shutDown
  if (Option.isNone(done)) return
  for (const label of labels) world.say(label, (before) => ({ ...before, isClosed: true }))
})

/** Another process takes the session while its holder does something to it, or before. */
export const takeOver = (
  meanwhile: "append" | "checkpoint" | "close",
  moment: "before" | "with"
): Operation =>
  Effect.fnUntraced(function*(world, process, label) {
    const former = world.running.get(label)
    if (former === undefined || former.process === process) return
    const take = resumeWith({ moves: false, takeOver: true })(world, process, label)
    const text = `${label} late ${world.next()}`
    const attempt: Ledger.Attempt = {
      events: meanwhile === "append" && moment === "with" ? [{ _tag: "Said", text }] : []
    }
    world.say(label, (before) => Ledger.attempting(before, attempt))
    const act = former.process.run(
      actOf(former, meanwhile, text).pipe(
        Effect.tap(() => Effect.sync(() => meanwhile === "append" && acknowledge(world, label, attempt)))
      )
    )
    const isTaken = () => world.running.get(label)?.process === process
    const [, outcome] = moment === "with"
      ? yield* Effect.all([take, act], { concurrency: 2 })
      : [yield* take, isTaken() ? yield* act : Option.none()]
    const holder = world.running.get(label)
    if (holder === undefined || !isTaken() || Option.isNone(outcome)) return
    // It may not have noticed yet: whatever it does now, it changes nothing.
    yield* former.process.run(former.session.checkpoint)
    const isAcknowledged = Exit.isSuccess(outcome.value)
    if (isAcknowledged && moment === "before") {
      world.findings.push(`${meanwhile} of ${label} succeeded after a takeover`)
    }
    const { conversation } = Ledger.pictureOf(yield* holder.session.state)
    if (isAcknowledged && meanwhile === "append" && !conversation.includes(text)) {
      world.findings.push(`${text} was acknowledged, and the next holder has not heard it`)
    }
  })

const actOf = (
  { session }: Handle,
  what: "append" | "checkpoint" | "close",
  text: string
): Effect.Effect<unknown, unknown, NodeSessions.Services> => {
  if (what === "append") return session.append({ role: "user", content: text })
  return what === "checkpoint" ? session.checkpoint : Sessions.close(session.id)
}
