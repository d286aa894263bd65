/**
 * `reprise cleanup`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"
import * as Words from "../Words.ts"

const atLeastADay = (text: string): Option.Option<Duration.Duration> =>
  Option.filter(Option.fromUndefinedOr(Words.age(text)), (age) => Duration.toDays(age) >= 1)

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "cleanup",
  {
    olderThan: Flag.String("older-than").pipe(
      Flag.withMetavar("AGE"),
      Flag.withDescription("30d by default; 2w, 48h, never less than 1d"),
      Flag.filterMap(atLeastADay, (text) => `${text} is not an age of a day or more, such as 30d, 2w or 48h`),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withoutNegation,
      Flag.withAlias("n"),
      Flag.withDescription("Only tell what would be done"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Cleanup.ts"))
).pipe(
  Command.withDescription(
    "Move closed sessions of every project that are older than that to the trash, and delete for ever what has been in the trash that long."
  ),
  Command.withShortDescription("Remove old sessions"),
  Command.withExamples([
    { command: "reprise cleanup --older-than 30d --dry-run", description: "See what would be removed" },
    { command: "reprise cleanup --older-than 2w", description: "Remove what is older than two weeks" }
  ])
)
