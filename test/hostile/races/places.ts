/** Where a race takes place, below one directory. */
export const below = (root: string) => ({
  root,
  /** Where projects are allowed to be. */
  projects: `${root}/projects`,
  sessions: `${root}/sessions`,
  /** Outside: a signed session by each id, which nobody asked for. */
  canaries: `${root}/outside/sessions`,
  /** Outside: the directory of another session. */
  canaryDirectory: `${root}/outside/other/session`,
  canaryProject: `${root}/outside/projects/project`,
  /** Where the swapper keeps what it took. */
  aside: `${root}/aside`,
  fifos: `${root}/fifos`
})

export type Places = ReturnType<typeof below>

export const projects: ReadonlyArray<string> = ["one", "two", "three"]

export const fifos = (places: Places): ReadonlyArray<string> => [`${places.fifos}/a`, `${places.fifos}/b`]

/** What only canaries say. */
export const marker = "CANARY"
