/**
 * Runs a pure program at a terminal: keys and other events go in, frames and
 * printed lines come out.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Terminal from "effect/Terminal"
import { Device } from "./Device.ts"
import * as Frame from "./Frame.ts"
import * as Key from "./Key.ts"

/**
 * What every program is told: a key, or that the terminal is gone.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = { readonly _tag: "Typed"; readonly key: Key.Key } | { readonly _tag: "HungUp" }

/**
 * Where something is drawn, and when: cells, rows, milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Room extends Terminal.Size {
  readonly now: number
}

/**
 * What an event led to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step<State, Action, Result> {
  readonly state: State
  /** To be done, in this order. */
  readonly actions?: ReadonlyArray<Action>
  /** Lines that stay, above the frame. */
  readonly printed?: (room: Room) => ReadonlyArray<string>
  /** Whether the screen is cleared first. */
  readonly isCleared?: boolean
  /** Ends the program. */
  readonly result?: Result
}

/**
 * A program: pure but for `perform`, which does what steps ask for and tells
 * what came of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Program<State, Event, Action, Result, R> {
  readonly mode: Frame.Mode
  /** The first step is drawn before any key is read. */
  readonly first: Step<State, Action, never>
  readonly update: (state: State, event: Event | Input) => Step<State, Action, Result>
  readonly view: (state: State, room: Room) => Frame.Frame
  readonly perform: (
    actions: Queue.Dequeue<Action>,
    tell: (event: Event) => Effect.Effect<unknown>
  ) => Effect.Effect<void, never, R>
}

interface Resized {
  readonly _tag: "Resized"
  readonly size: Terminal.Size
}

/** All that happened since the last frame: it is drawn once. */
interface Turn<State, Action, Result> {
  state: State
  result: Result | undefined
  isCleared: boolean
  isSuspended: boolean
  readonly actions: Array<Action>
  readonly printed: Array<(room: Room) => ReadonlyArray<string>>
}

const begin = <State, Action, Result>(state: State): Turn<State, Action, Result> => ({
  state,
  result: undefined,
  isCleared: false,
  isSuspended: false,
  actions: [],
  printed: []
})

const add = <State, Action, Result>(turn: Turn<State, Action, Result>, step: Step<State, Action, Result>): void => {
  turn.state = step.state
  turn.result = step.result
  turn.isCleared ||= step.isCleared === true
  turn.actions.push(...step.actions ?? [])
  if (step.printed !== undefined) turn.printed.push(step.printed)
}

/** What the screen shows now, so that it can be replaced. */
interface Drawn {
  frame: Frame.Frame | undefined
  size: Terminal.Size
}

const openScreen = Effect.fnUntraced(function*(mode: Frame.Mode) {
  const device = yield* Device
  const terminal = yield* device.open
  const { enter, leave } = Frame.modes[mode]
  // Where the terminal is gone there is nobody to show anything to; its input ends.
  const write = (text: string) => Effect.ignore(terminal.display(text))
  const drawn: Drawn = {
    frame: undefined,
    size: Frame.sizeOf({ columns: yield* terminal.columns, rows: yield* terminal.rows })
  }
  const restore = () =>
    `${drawn.frame !== undefined && mode === "inline" ? Frame.erase(drawn.frame, drawn.size.columns) : ""}${leave}`
  yield* device.atExit(restore)
  yield* Effect.acquireRelease(write(enter), () => Effect.suspend(() => write(restore())))
  /** Ctrl-Z: the shell has the terminal, as it was, until it continues us. */
  const suspend = Effect.gen(function*() {
    yield* write(restore())
    drawn.frame = undefined
    yield* device.suspend
    yield* write(enter)
  })
  return { terminal, write, drawn, suspend }
})

/**
 * Runs a program to its result. However it ends, the terminal is as it was.
 *
 * @category running
 * @since 0.1.0
 */
export const run = <State, Event, Action, Result, R>(
  program: Program<State, Event, Action, Result, R>
): Effect.Effect<Result, never, Exclude<R, Scope.Scope>> =>
  Effect.scoped(Effect.gen(function*() {
    const { mode, perform, update, view } = program
    const { drawn, suspend, terminal, write } = yield* openScreen(mode)
    const inbox = yield* Queue.unbounded<Event | Input | Resized>()
    const actions = yield* Queue.unbounded<Action>()
    const tell = (event: Event | Input | Resized) => Queue.offer(inbox, event)

    const draw = Effect.fnUntraced(function*({ isCleared, printed, state }: Turn<State, Action, Result>) {
      const room: Room = { ...drawn.size, now: yield* Clock.currentTimeMillis }
      const frame = Frame.fit(view(state, room), room.columns)
      const lines = printed.flatMap((print) => print(room))
      yield* write(
        mode === "full"
          ? Frame.full(frame)
          : Frame.inline(drawn.frame, frame, { columns: room.columns, printed: lines, isCleared })
      )
      drawn.frame = frame
    })

    const advance = (before: State, events: ReadonlyArray<Event | Input | Resized>): Turn<State, Action, Result> => {
      const turn = begin<State, Action, Result>(before)
      for (const event of events) {
        if (isResized(event)) drawn.size = Frame.sizeOf(event.size)
        else if (isSuspension(event)) turn.isSuspended = true
        else add(turn, update(turn.state, event))
        if (turn.result !== undefined) break
      }
      return turn
    }

    const first = begin<State, Action, Result>(program.first.state)
    add(first, program.first)
    yield* draw(first)
    yield* Queue.offerAll(actions, first.actions)
    yield* Effect.forkScoped(perform(actions, tell))
    yield* Effect.forkScoped(Stream.runForEach(
      Stream.fromQueue(yield* terminal.size),
      (size) => tell({ _tag: "Resized", size })
    ))
    yield* Stream.fromQueue(yield* terminal.readInput).pipe(
      Stream.runForEach((input) =>
        Option.match(Key.fromInput(input), {
          onNone: () => Effect.void,
          onSome: (key) => tell({ _tag: "Typed", key })
        })
      ),
      Effect.andThen(tell({ _tag: "HungUp" })),
      Effect.forkScoped
    )

    let { state } = first
    while (true) {
      const turn = advance(state, yield* Queue.takeAll(inbox))
      state = turn.state
      if (turn.isSuspended) yield* suspend
      yield* draw(turn)
      yield* Queue.offerAll(actions, turn.actions)
      if (turn.result !== undefined) return turn.result
    }
  }))

const isResized = <Event>(event: Event | Resized): event is Resized => Predicate.isTagged(event, "Resized")

const isSuspension = (event: unknown): boolean =>
  Predicate.isTagged(event, "Typed") && Predicate.hasProperty(event, "key") &&
  Predicate.isTagged(event.key, "Press") && Predicate.hasProperty(event.key, "name") && event.key.name === "ctrl-z"
