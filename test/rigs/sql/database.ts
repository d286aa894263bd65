/** How programs are told which database they work on: one word that a directory could not be. */
import type * as Postgres from "../../suites/postgres.ts"

export interface Database extends Postgres.Database {
  /** Milliseconds. */
  readonly leaseFor: number
}

/** Longer than any rig: what was held by a process that is gone is freed by a word. */
export const noLease = 3_600_000

export const isRoot = (root: string): boolean => root.startsWith("postgres://")

export const toRoot = ({ leaseFor, schema, url }: Database): string => `${url}#${schema}/${leaseFor}`

export const fromRoot = (root: string): Database => {
  const [url = "", place = ""] = root.split("#")
  const [schema = "", leaseFor = ""] = place.split("/")
  return { url, schema, leaseFor: Number(leaseFor) }
}

/** What the server calls the connections of a process. */
export const nameOf = (pid: number): string => `rig ${pid}`
