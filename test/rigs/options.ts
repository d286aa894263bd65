/** Whole numbers from the command line: `--name 5`. */
export const parse = <Defaults extends Record<string, number>>(
  defaults: Defaults
): { readonly [K in keyof Defaults]: number } => {
  const given = process.argv.slice(2)
  const valueOf = (name: string, fallback: number) => {
    const at = given.indexOf(`--${name}`)
    const value = at < 0 ? fallback : Number(given[at + 1])
    return Number.isSafeInteger(value) ? value : fallback
  }
  const found: { [K in keyof Defaults]: number } = { ...defaults }
  for (const name in defaults) found[name] = valueOf(name, defaults[name] ?? 0)
  return found
}
