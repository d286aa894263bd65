/**
 * The command that all others are below, with the flags that all of them share.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"

/**
 * `yield* root` gives a handler the shared flags.
 *
 * @category commands
 * @since 0.1.0
 */
export const root = Command.make("reprise").pipe(
  Command.withSharedFlags({
    dir: Flag.String("dir").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("The sessions directory (else REPRISE_DIR, else the user's state directory)"),
      Flag.optional
    ),
    store: Flag.String("store").pipe(
      Flag.withMetavar("STORE"),
      Flag.withDescription(
        "Where sessions are instead: postgres://…, sqlite:FILE or a directory (else REPRISE_STORE). Keys stay beside --dir"
      ),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print JSON, errors too"),
      Flag.withDefault(false)
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("When to use colors"),
      Flag.withDefault("auto")
    ),
    verbose: Flag.Boolean("verbose").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print what is going on, and where errors come from"),
      Flag.withDefault(false)
    )
  }),
  Command.withDescription("See, resume and look after the sessions of AI agents")
)
