/** placeholder */
import { Effect } from "effect"
import type { Row } from "../measuring/rows.ts"
import type { Setting } from "../setting.ts"

export const processes = (_: Setting) => Effect.succeed<ReadonlyArray<Row>>([])
