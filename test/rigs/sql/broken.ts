/** Stores in a database that break a promise, by name: their statements are other ones. */

/** Each finds what it breaks: a store whose statements changed would else be whole. */
const mutants = {
  /** Changes rows whoever holds them. */
  unfenced: (sql: string) =>
    sql.replace(/epoch = (\$\d+) AND nonce = (\$\d+)/, "$1::bigint IS NOT NULL AND $2::text IS NOT NULL"),
  /** Leaves it to the server whether a commit waits for the disk. */
  unsynced: (sql: string) => sql.replace("set_config('synchronous_commit', 'on', true)", "''"),
  /** Takes what others hold. */
  greedy: (sql: string) => sql.replace("state <> 'held' OR", "1 = 1 OR")
}

export type Mutant = keyof typeof mutants

const isMutant = (name: string): name is Mutant => name in mutants

export const rewriteOf = (mutant: string | undefined): (sql: string) => string =>
  mutant !== undefined && isMutant(mutant) ? mutants[mutant] : (sql) => sql
