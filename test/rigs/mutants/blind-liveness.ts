/** Takes every other process for dead, so that the sessions of those that live are there to be had. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Liveness } from "../../../src/index.ts"
import { NodeLiveness } from "../../../src/node/index.ts"

export const layer: Layer.Layer<Liveness.Liveness> = Layer.effect(
  Liveness.Liveness,
  Effect.map(Liveness.Liveness, (liveness) =>
    Liveness.Liveness.of({
      ...liveness,
      judge: (lease) => lease.holder.pid === process.pid ? liveness.judge(lease) : Effect.succeed("dead")
    }))
).pipe(Layer.provide(NodeLiveness.layer))
