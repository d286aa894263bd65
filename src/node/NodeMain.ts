/**
 * A program with sessions as a process of its own.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

const interrupted = 130

const run = Runtime.makeRunMain(({ fiber, teardown }) => {
  let isEnding = false
  const end = () => {
    if (isEnding) process.exit(interrupted)
    isEnding = true
    fiber.interruptUnsafe(fiber.id)
  }
  process.on("SIGINT", end)
  process.on("SIGTERM", end)
  fiber.addObserver((exit) =>
    teardown(exit, (code) => {
      process.off("SIGINT", end)
      process.off("SIGTERM", end)
      if (isEnding || code !== 0) process.exit(code)
    })
  )
})

/**
 * Runs a program to its end, as `NodeRuntime.runMain` does, and minds signals
 * twice.
 *
 * **Details**
 *
 * The first SIGINT or SIGTERM interrupts the program, so that its layers are
 * torn down and running sessions are closed: agents get `agentGrace` of
 * `SessionLimits` to stop. The second ends the process at once: a session that
 * was not closed by then stays interrupted, with every acknowledged event, and
 * none is half closed. The exit code is 130 then.
 *
 * @category running
 * @since 0.1.0
 */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void => run(program)
