/** What is measured, group by group. */
import type { Effect, Scope } from "effect"
import type { Row } from "./measuring/rows.ts"
import { append } from "./rows/append.ts"
import { list } from "./rows/list.ts"
import { load } from "./rows/load.ts"
import { processes } from "./rows/processes.ts"
import { resume } from "./rows/resume.ts"
import { save } from "./rows/save.ts"
import type { Setting } from "./setting.ts"

/** The rows of one group. */
export type Group = (setting: Setting) => Effect.Effect<ReadonlyArray<Row>, unknown, Scope.Scope>

/** In the order in which they run: what writes much comes after what syncs little. */
export const groups: Readonly<Record<string, Group>> = { load, append, resume, save, list, processes }
