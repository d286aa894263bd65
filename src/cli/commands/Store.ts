/**
 * `reprise store`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"

const copy = Command.make(
  "copy",
  {
    from: Flag.String("from").pipe(
      Flag.withMetavar("STORE"),
      Flag.withDescription("Where sessions are: a directory, sqlite:FILE or postgres://…; it is only read")
    ),
    to: Flag.String("to").pipe(
      Flag.withMetavar("STORE"),
      Flag.withDescription("Where they are to be, named in the same way")
    ),
    ndjson: Flag.Boolean("ndjson").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print JSON, one session a line as they are copied, and the totals in the last line"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/StoreCopy.ts"))
).pipe(
  Command.withDescription(
    "Copy every session to another store, under its own id, with its large parts and its place in the trash: each is verified before, copied, and verified there. The source stays as it is, and nothing that is there is overwritten. Interrupted, it is run again and goes on. Sessions that somebody runs are left out. Sessions stay signed with the keys they have: a database is read with the key ring beside --dir, and a place without a key ring gets a copy of the source's. A password can be left to PGPASSWORD."
  ),
  Command.withShortDescription("Copy every session to another store, verified"),
  Command.withExamples([
    {
      command: "reprise store copy --from ~/.local/state/reprise/sessions --to postgres://me@db.example/agents",
      description: "From files to a database"
    },
    {
      command: "reprise store copy --from postgres://me@db.example/agents --to ./back/sessions",
      description: "And back"
    },
    { command: "reprise store copy --from ./sessions --to sqlite:sessions.db --json", description: "For programs" }
  ])
)

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("store").pipe(
  Command.withDescription("Look after the places where sessions are stored."),
  Command.withShortDescription("Carry all sessions from one store to another"),
  Command.withExamples([
    { command: "reprise store copy --from ./sessions --to sqlite:sessions.db", description: "Copy every session" }
  ]),
  Command.withSubcommands([copy])
)
