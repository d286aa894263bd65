/** What every group of rows is handed. */
import type { Scale } from "./scale.ts"
import type { Variant } from "./variants.ts"

export interface Setting {
  /** An empty directory. */
  readonly root: string
  readonly seed: number
  readonly scale: Scale
  /** Which library the processes import that a run starts: the built one, or its sources. */
  readonly library: "built" | "sources"
  readonly variants: readonly [Variant, ...ReadonlyArray<Variant>]
}
