/**
 * The services of Node that commands ask for. Those that few commands use are
 * loaded when they are used.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Scope from "effect/Scope"
import * as Terminal from "effect/Terminal"

/** A service that is built in the layer's scope when it is first used. */
const later = <S, R>(load: () => Promise<Layer.Layer<S, never, R>>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.Scope
    const context = yield* Effect.context<R>()
    return yield* Effect.cached(
      Effect.promise(load).pipe(
        Effect.flatMap((layer) => Layer.buildWithScope(layer, scope)),
        Effect.provideContext(context)
      )
    )
  })

const layerTerminal = Layer.effect(
  Terminal.Terminal,
  Effect.gen(function*() {
    const context = yield* later(() => import("@effect/platform-node/NodeTerminal").then(({ layer }) => layer))
    const terminal = Effect.map(context, Context.get(Terminal.Terminal))
    return Terminal.make({
      columns: Effect.sync(() => process.stdout.columns ?? 0),
      rows: Effect.sync(() => process.stdout.rows ?? 0),
      size: Effect.flatMap(terminal, ({ size }) => size),
      readInput: Effect.flatMap(terminal, ({ readInput }) => readInput),
      readLine: Effect.flatMap(terminal, ({ readLine }) => readLine),
      display: (text) => Effect.flatMap(terminal, ({ display }) => display(text))
    })
  })
)

const layerSpawner = Layer.effect(
  ChildProcessSpawner.ChildProcessSpawner,
  Effect.gen(function*() {
    const context = yield* later(() =>
      import("@effect/platform-node/NodeChildProcessSpawner").then(({ layer }) => layer)
    )
    const spawner = Effect.map(context, Context.get(ChildProcessSpawner.ChildProcessSpawner))
    return ChildProcessSpawner.make((command) => Effect.flatMap(spawner, ({ spawn }) => spawn(command)))
  })
)

/**
 * @category layers
 * @since 0.1.0
 */
export const layer = Layer.mergeAll(layerTerminal, layerSpawner).pipe(
  Layer.provideMerge(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer))
)
