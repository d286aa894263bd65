/**
 * `reprise keys`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"

const list = Command.make("list", {}, Lazy.handler(() => import("../handlers/KeysList.ts"))).pipe(
  Command.withDescription(
    "List the keys that stored sessions are signed and, where that is on, encrypted with, newest first. Secrets are never shown."
  ),
  Command.withShortDescription("List the keys by their ids"),
  Command.withExamples([{ command: "reprise keys list", description: "The keys of this machine" }])
)

const rotate = Command.make(
  "rotate",
  {
    goOn: Flag.Boolean("continue").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Go on with a rotation that was interrupted: no other key is made"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/KeysRotate.ts"))
).pipe(
  Command.withDescription(
    "Make a new key, and sign every stored session with it; where encryption is on, encrypt it too. Former keys still verify. Running sessions are left alone: they sign with the new key once they are resumed again."
  ),
  Command.withShortDescription("Make a new key and sign everything with it"),
  Command.withExamples([
    { command: "reprise keys rotate", description: "After the key may have been seen by others" },
    { command: "reprise keys rotate --continue", description: "Go on where an interrupted rotation stopped" }
  ])
)

const encrypt = Command.make("encrypt", {}, Lazy.handler(() => import("../handlers/KeysEncrypt.ts"))).pipe(
  Command.withDescription(
    "Encrypt every stored session from now on, with a new key, and those that are stored. It stays on: the key ring says so. End other programs first that have sessions open there. What the disk still holds of former files is not erased."
  ),
  Command.withShortDescription("Encrypt everything from now on"),
  Command.withExamples([{ command: "reprise keys encrypt", description: "Nobody without the key ring reads sessions" }])
)

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("keys").pipe(
  Command.withDescription("Look after the keys that stored sessions are signed and encrypted with."),
  Command.withExamples([{ command: "reprise keys list", description: "The keys of this machine" }]),
  Command.withSubcommands([list, rotate, encrypt])
)
