/**
 * Addresses of databases among what was typed: they may hold passwords, which nobody
 * is to see.
 *
 * @since 0.1.0
 */

const postgres = /^(?:--[a-z-]+=)?postgres(?:ql)?:\/\//i

/**
 * Whether a command is about a PostgreSQL database, as far as can be told before it is
 * parsed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasPostgres = (args: ReadonlyArray<string>): boolean =>
  args.some((arg) => postgres.test(arg)) || postgres.test(process.env["REPRISE_STORE"] ?? "")

/**
 * Text without the passwords of the addresses in it.
 *
 * @category formatting
 * @since 0.1.0
 */
export const withoutPasswords = (text: string): string =>
  text.replace(/(postgres(?:ql)?:\/\/[^\s:/@?#]*):[^\s"']*@/gi, "$1:…@")
    .replace(/([?&]password=)[^\s&"']*/gi, "$1…")

/**
 * Shows other users of this machine, to whom `ps` shows what was typed, no password.
 *
 * @category running
 * @since 0.1.0
 */
export const hide = (args: ReadonlyArray<string>): void => {
  if (args.some((arg) => withoutPasswords(arg) !== arg)) process.title = "reprise"
}
