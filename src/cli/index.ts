/**
 * What programs that run `reprise` need to know about it: the documents that it
 * prints, and the codes that it ends with.
 *
 * @since 0.1.0
 */
export * as CliJson from "./CliJson.ts"
export * as ExitCode from "./ExitCode.ts"
