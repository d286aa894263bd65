/**
 * Somebody at a real terminal, with sessions in a project: what the tests of
 * the picker and of the prompt stand on.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Logger, Option, type Scope } from "effect"
import { type Session, type SessionId, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import * as Rig from "../../suites/rig.ts"
import * as Tmux from "./tmux.ts"

const program = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url))

/** What Node compiled: only the first run of all waits for it. */
const caches = fileURLToPath(new URL("../../../node_modules/.cache", import.meta.url))

/** A project with sessions, on a disk of its own. */
export interface Desk {
  readonly root: string
  readonly project: string
  readonly sessions: string
}

/** In a directory whose path has the same length everywhere: it is on screens. */
const desk = Effect.acquireRelease(
  Effect.sync((): Desk => {
    const root = NodeFs.realpathSync(NodeFs.mkdtempSync("/tmp/reprise-"))
    const project = `${root}/calculator`
    NodeFs.mkdirSync(project)
    return { root, project, sessions: `${root}/sessions` }
  }),
  ({ root }) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
)

export interface Seed {
  readonly name: string
  readonly project?: string
  readonly messages?: ReadonlyArray<Session.MessageInput>
  readonly todos?: ReadonlyArray<Session.Todo>
}

/** Does something with the stored sessions, in this process. */
export const inSessions = ({ sessions }: Desk) =>
  Effect.provide([NodeSessions.layer({ directory: sessions }), Logger.layer([])], { local: true })

/** Stores closed sessions, the last one the newest. */
export const store = (desk: Desk, seeds: ReadonlyArray<Seed>) =>
  Effect.forEach(seeds, ({ messages = [], name, project = desk.project, todos }) =>
    Effect.gen(function*() {
      NodeFs.mkdirSync(project, { recursive: true })
      const session = yield* Sessions.create({ project, name, config: Rig.config })
      yield* Effect.forEach(messages, session.append)
      if (todos !== undefined) yield* session.replaceTodos(todos)
      yield* Sessions.close(session.id)
      return session.id
    })).pipe(inSessions(desk))

/** A session as it is stored now. */
export const load = (desk: Desk, id: SessionId.SessionId) => Sessions.load(id).pipe(inSessions(desk))

export const said = ({ conversation }: Session.SessionState): ReadonlyArray<unknown> =>
  conversation.map(({ content }) => content)

/** Opens a terminal with a command in it. */
export const terminal = (
  { project, root, sessions }: Desk,
  size: { readonly columns: number; readonly rows: number },
  command: ReadonlyArray<string>
) =>
  Tmux.open({
    ...size,
    directory: NodeFs.mkdtempSync(`${root}/terminal-`),
    cwd: project,
    command,
    env: { REPRISE_DIR: sessions, XDG_CACHE_HOME: caches, HOME: root, TZ: "UTC" }
  })

/** How `reprise` is started. */
export const reprise = (...args: ReadonlyArray<string>): ReadonlyArray<string> => [process.execPath, program, ...args]

/** How a shell starts it, with more around it. */
export const shell = (script: string): ReadonlyArray<string> => [
  "sh",
  "-c",
  `reprise() { '${process.execPath}' '${program}' "$@"; }; ${script}`
]

/** What differs from run to run, in as many cells. */
const normalised = (screen: string, { root }: Desk): string =>
  screen
    .replaceAll(root, "/projects/demo/code")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "2026-01-15 12:00:00")
    .replace(
      /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g,
      "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"
    )

/**
 * Waits for the screen that is kept as `golden/<name>.txt`. With
 * `REPRISE_SCREENS=record` it is kept as it is as soon as it holds still, to be
 * looked at before it is committed.
 */
export const shows = Effect.fnUntraced(function*(desk: Desk, terminal: Tmux.Terminal, name: string) {
  const file = fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url))
  const screen = Effect.map(terminal.screen, (screen) => `${normalised(screen, desk)}\n`)
  if (process.env["REPRISE_SCREENS"] === "record") {
    NodeFs.writeFileSync(file, yield* Tmux.still(screen))
    return
  }
  const golden = NodeFs.existsSync(file) ? NodeFs.readFileSync(file, "utf8") : ""
  const shown = yield* Tmux.until(screen, (screen) => screen === golden)
  assert.strictEqual(shown, golden, `golden/${name}.txt`)
})

/** Why there is no terminal to be had, if there is none. */
const unavailable: string | undefined = Option.isNone(Tmux.version)
  ? "tmux is not installed: apt-get install tmux"
  : undefined

/** A test at a real terminal; skipped, and counted so, where there is none to be had. */
export const test = <A, E>(name: string, body: (desk: Desk) => Effect.Effect<A, E, Scope.Scope>) =>
  it.live.skipIf(unavailable !== undefined)(
    unavailable === undefined ? name : `${name} (${unavailable})`,
    () => Effect.scoped(Effect.flatMap(desk, body)),
    60_000
  )
