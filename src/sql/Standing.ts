/**
 * Who holds a session, as its row tells.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Holder } from "../core/Holder.ts"
import * as Json from "../core/Json.ts"
import { AlreadyRunning } from "../core/SessionError.ts"
import type * as SessionList from "../core/SessionList.ts"
import { Timestamp } from "../core/Timestamp.ts"
import type { Database } from "./Database.ts"

/** A whole number, as drivers give it. */
export type Integer = number | bigint | string

/** A row's lease. */
export interface Standing {
  readonly nonce: string
  readonly state: string
  readonly is_open: Integer
  readonly is_alive: Integer
  readonly holder: string
  readonly since: string
}

/** The columns of a standing. Whether a holder lives is a matter of the database's clock alone. */
export const columns = ({ now, sql }: Database) =>
  sql`nonce, state, is_open, CASE WHEN lease_until >= ${now} THEN 1 ELSE 0 END AS is_alive, holder, since`

export const isOpen = ({ is_open }: Standing): boolean => Number(is_open) === 1

/** Whether somebody runs the session. */
export const isHeld = ({ is_alive, state }: Standing): boolean => state === "held" && Number(is_alive) === 1

export const isRemoved = ({ state }: Standing): boolean => state === "removed"

/** What a session is doing. Holders are never out of sight: the database sees whether they say that they live. */
export const status = (standing: Standing): SessionList.Status => {
  if (isRemoved(standing)) return "removed"
  if (isHeld(standing)) return "running"
  return isOpen(standing) ? "interrupted" : "closed"
}

const isHolder = Schema.is(Holder)
const isTimestamp = Schema.is(Timestamp)

/** The holder's name, and since when; what is no such thing is left out. */
export const lastHolder = (
  { holder, since }: Pick<Standing, "holder" | "since">
): { readonly holder?: Holder; readonly since?: Timestamp } => {
  const named = Option.filter(Result.getSuccess(Json.parse(holder)), isHolder)
  return {
    ...(Option.isSome(named) ? { holder: named.value } : {}),
    ...(isTimestamp(since) ? { since } : {})
  }
}

/** Who stands in the way. */
export const alreadyRunning = (standing: Standing): AlreadyRunning =>
  new AlreadyRunning({ liveness: isHeld(standing) ? "alive" : "dead", ...lastHolder(standing) })
