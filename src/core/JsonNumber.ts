/**
 * Numbers of JSON text that a double can't hold: they would come back changed,
 * so a document that has one is refused.
 *
 * @since 0.1.0
 */

const form = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Sign, digits and power of ten, the same for every spelling of one number. */
const canonical = (literal: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = form.exec(literal) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, "")
  const significant = withoutZerosAtEnd(digits)
  if (significant === "") return "0"
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

/** A pattern for this would start again at each zero, and take for ever on many. */
const withoutZerosAtEnd = (digits: string): string => {
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--
  return digits.slice(0, end)
}

/**
 * Whether the double nearest to a JSON number is written as the same number.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isExact = (literal: string): boolean => {
  const value = Number(literal)
  return Number.isFinite(value) && canonical(literal) === canonical(String(value))
}
