/**
 * What a run of `reprise` ends with.
 *
 * @since 0.1.0
 */

/**
 * Exit codes, by what they mean.
 *
 * **Details**
 *
 * | code | when                                                              |
 * | ---- | ----------------------------------------------------------------- |
 * | 0    | done                                                              |
 * | 1    | failed; a search found nothing                                    |
 * | 2    | usage: what was typed is not a command                            |
 * | 3    | not found: no session, or several, answer to a target             |
 * | 4    | broken or tampered: what is stored can't be believed              |
 * | 5    | busy elsewhere: another process runs the session                  |
 * | 130  | interrupted by a signal; what was saved stays saved               |
 *
 * A command over several sessions ends with the code that all failures share,
 * or with 1.
 *
 * @category models
 * @since 0.1.0
 */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  broken: 4,
  busy: 5,
  interrupted: 130
} as const

/**
 * @category models
 * @since 0.1.0
 */
export type ExitCode = typeof ExitCode[keyof typeof ExitCode]

/**
 * The code of several failures: the one they share.
 *
 * @category combinators
 * @since 0.1.0
 */
export const shared = (codes: Iterable<ExitCode>): ExitCode => {
  const [first, ...others] = new Set(codes)
  if (first === undefined) return ExitCode.done
  return others.length === 0 ? first : ExitCode.failed
}
