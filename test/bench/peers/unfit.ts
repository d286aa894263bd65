/** Why a peer can't be measured. */
import { Schema } from "effect"

export class Unfit extends Schema.TaggedError<Unfit>("effect-reprise/test/bench/Unfit")("Unfit", {
  reason: Schema.String
}) {}

export const because = (thrown: unknown): Unfit =>
  new Unfit({ reason: thrown instanceof Error ? thrown.message : String(thrown) })
