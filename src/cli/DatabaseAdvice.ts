/**
 * What is wrong with a database, and what to do about it.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** What the store tells of a failure of its database. */
const DatabaseError = Schema.Struct({
  _tag: Schema.Literal("effect-reprise/sql/Database/DatabaseError"),
  reason: Schema.String,
  code: Schema.optional(Schema.String),
  constraint: Schema.optional(Schema.String),
  detail: Schema.optional(Schema.String)
})

/**
 * @category models
 * @since 0.1.0
 */
export interface DatabaseAdvice {
  /** What this is, for programs: `Unreachable`, `WrongPassword`, … */
  readonly kind: string
  readonly why: string
  readonly next: string
}

const isDatabaseError = Schema.is(DatabaseError)

const unreachable = (why: string): DatabaseAdvice => ({
  kind: "Unreachable",
  why,
  next: "Check host and port, and that the database runs and can be reached from here"
})

const ofServer = (code: string, detail: string): DatabaseAdvice | undefined => {
  switch (code) {
    case "28P01":
      return {
        kind: "WrongPassword",
        why: `The database does not accept the password: ${detail}.`,
        next: "Check user and password in the address, or set PGPASSWORD"
      }
    case "28000":
      return /encryption|SSL/i.test(detail)
        ? {
          kind: "TlsWanted",
          why: `The database wants another kind of connection: ${detail}.`,
          next: "Ask for TLS in the address: ?sslmode=require"
        }
        : {
          kind: "NotAllowed",
          why: `The database does not let this user in: ${detail}.`,
          next: "Check the user in the address, and who may connect (pg_hba.conf)"
        }
    case "3D000":
      return {
        kind: "NoDatabase",
        why: `There is no such database: ${detail}.`,
        next: "Check its name at the end of the address, or create it: createdb NAME"
      }
    case "3F000":
      return {
        kind: "NoSchema",
        why: "There is no schema to make tables in.",
        next: "Create one that is in the user's search_path"
      }
    case "42501":
      return {
        kind: "NoRights",
        why: "The user has not the rights that are needed.",
        next: "Let the owner of the tables grant them: reprise doctor tells which"
      }
    case "53300":
      return { kind: "TooManyConnections", why: "The database has no connection left.", next: "Try again later" }
    case "57P03":
      return { kind: "Starting", why: "The database is starting up or shutting down.", next: "Try again in a moment" }
    case "25006":
      return {
        kind: "ReadOnly",
        why: "The database can only be read: it is a standby.",
        next: "Name the primary server in the address"
      }
    default:
      return undefined
  }
}

/** What a client says of a server that can't or won't speak TLS as it was asked to. */
const isAboutTls = /SSL|TLS|certificate|self.signed/i

/**
 * Advice for the failure of a database; nothing for any other failure.
 *
 * @category advice
 * @since 0.1.0
 */
export const of = (cause: unknown): DatabaseAdvice | undefined => {
  if (!Predicate.isTagged(cause, "effect-reprise/sql/Database/DatabaseError") || !isDatabaseError(cause)) {
    return undefined
  }
  const { code = "", constraint, detail = "", reason } = cause
  const known = ofServer(code, detail)
  if (known !== undefined) return known
  if (reason === "ConnectionError" || reason === "StatementTimeoutError") {
    return isAboutTls.test(detail)
      ? {
        kind: "Tls",
        why: `No safe connection came about: ${detail}.`,
        next: "Check sslmode in the address, and the server's certificate (NODE_EXTRA_CA_CERTS adds an authority)"
      }
      : unreachable(detail === "" ? "The database can't be reached." : `The database can't be reached: ${detail}.`)
  }
  if (reason === "AuthenticationError" || reason === "AuthorizationError") {
    return {
      kind: "NotAllowed",
      why: `The database does not let this user in: ${detail === "" ? code : detail}.`,
      next: "Check user and password in the address, or set PGPASSWORD"
    }
  }
  const facts = [code, constraint].filter((fact) => fact !== undefined && fact !== "").join(", ")
  return {
    kind: reason,
    why: `The database failed: ${reason}${facts === "" ? "" : ` (${facts})`}.`,
    next: "What was saved is safe. See whether the database is well: reprise doctor"
  }
}
