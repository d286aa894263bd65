/**
 * Who holds, or last held, a stored session. A lease is written once and never
 * changed; the one with the highest epoch counts.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import { Holder } from "./Holder.ts"
import * as Json from "./Json.ts"
import * as Text from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

/**
 * *held*: its holder, if alive, runs the session. *released*: nobody does.
 * *removed*: nobody does, and the session is in the trash.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Lease = Schema.Struct({
  version: Schema.Literal(1),
  state: Schema.Literals(["held", "released", "removed"]),
  epoch: Schema.Int.check(Schema.isGreaterThan(0)),
  nonce: Schema.NonEmptyString,
  holder: Holder,
  since: Timestamp
})

/**
 * @category models
 * @since 0.1.0
 */
export type Lease = typeof Lease.Type

/**
 * The most bytes a lease file has. A larger one is not a lease.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxBytes = 4096

/**
 * @category encoding
 * @since 0.1.0
 */
export const toBytes = (lease: Lease): Uint8Array => Text.toBytes(`${JSON.stringify(lease)}\n`)

const newline = 0x0a

/**
 * Whether nothing shows that a write was cut short: the end is there, and no byte
 * that never came to be.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWhole = (bytes: Uint8Array): boolean => bytes.at(-1) === newline && !bytes.includes(0)

const isLease = Check.make(Lease)

/**
 * None for anything that is not a lease of this epoch.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array, epoch: number): Option.Option<Lease> =>
  Text.fromBytes(bytes).pipe(
    Option.flatMap((text) => Result.getSuccess(Json.parse(text))),
    Option.flatMap((json) => Result.getSuccess(isLease(json))),
    Option.filter((lease) => lease.epoch === epoch)
  )
