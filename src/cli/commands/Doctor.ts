/**
 * `reprise doctor`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("doctor", {}, Lazy.handler(() => import("../handlers/Doctor.ts"))).pipe(
  Command.withDescription(
    "Look at where sessions are kept: directory, permissions, key, free space, versions, and sessions that were interrupted or can't be read, with how to mend each. Changes nothing."
  ),
  Command.withShortDescription("See whether all is well, and how to mend what is not"),
  Command.withExamples([{ command: "reprise doctor", description: "Look at everything" }])
)
