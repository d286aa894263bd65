/**
 * Stored text as it may be printed: a name, a message or a tool's result must
 * not be able to drive the terminal.
 *
 * @since 0.1.0
 */

/**
 * Everything that a terminal acts on, and what changes the direction of text:
 * C0, DEL, C1, bidirectional marks and overrides, separators of lines and
 * paragraphs, the byte order mark, annotation marks, halves of surrogate pairs.
 */
const acting =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const escaped = (unit: string): string => {
  const code = unit.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

/**
 * Text for one line: line ends and tabs become spaces, the rest of what a
 * terminal acts on is shown as an escape.
 *
 * @category formatting
 * @since 0.1.0
 */
export const line = (text: string): string =>
  text.replace(/\r\n|[\n\r\t\v\f\u0085\u2028\u2029]/g, " ").replace(acting, escaped)

/**
 * The lines of a longer text: it keeps its lines, tabs become spaces, the rest
 * of what a terminal acts on is shown as an escape.
 *
 * @category formatting
 * @since 0.1.0
 */
export const lines = (text: string): ReadonlyArray<string> =>
  text.split(/\r\n|\n|\u2028|\u2029/).map((row) => row.replaceAll("\t", "  ").replace(acting, escaped))

/**
 * JSON that holds nothing a terminal acts on: what JSON allows bare is written
 * as an escape, and means the same.
 *
 * @category formatting
 * @since 0.1.0
 */
export const json = (text: string): string =>
  text.replace(acting, (unit) => unit === "\n" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
