/**
 * The format that sessions are written in, and the steps from older ones.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Migration from "../core/Migration.ts"

/**
 * The format in force: this program's, unless the next one is being tried.
 *
 * **Gotchas**
 *
 * Read once, when the store's layer is built, so that reader and writer can't
 * disagree.
 *
 * @category services
 * @since 0.1.0
 */
export class SessionFormat extends Context.Reference<Migration.Format>("effect-reprise/services/SessionFormat", {
  defaultValue: () => Migration.current
}) {}
