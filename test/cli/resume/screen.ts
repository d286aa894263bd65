/**
 * A terminal's screen, as far as what we write makes use of it: text, line ends,
 * cursor movements, erasing, wrapping, and a screen of its own. Characters take
 * one cell.
 */

export interface Screen {
  readonly write: (text: string) => void
  /** Lines up to the last that holds something, without spaces at their end. */
  readonly lines: () => ReadonlyArray<string>
  readonly cursor: () => { readonly row: number; readonly column: number }
  /** Makes it narrower: what is longer is wrapped, and the cursor goes with it. */
  readonly resize: (columns: number) => void
  readonly modes: () => ReadonlyArray<string>
}

interface Place {
  lines: Array<string>
  row: number
  column: number
}

const empty = (): Place => ({ lines: [""], row: 0, column: 0 })

export const make = (width: number, rows: number): Screen => {
  let columns = width
  let place = empty()
  let saved = empty()
  const modes = new Set<string>()

  const put = (character: string) => {
    if (place.column === columns) {
      place.column = 0
      down()
    }
    const line = (place.lines[place.row] ?? "").padEnd(place.column)
    place.lines[place.row] = line.slice(0, place.column) + character + line.slice(place.column + 1)
    place.column += 1
  }
  const down = () => {
    place.row += 1
    while (place.lines.length <= place.row) place.lines.push("")
    if (place.lines.length > rows) {
      place.lines.shift()
      place.row -= 1
    }
  }
  const mode = (name: string, isOn: boolean) => {
    if (name === "?1049" && isOn) {
      saved = place
      place = empty()
    } else if (name === "?1049") {
      place = saved
    }
    if (isOn) modes.add(name)
    else modes.delete(name)
  }
  const sequence = (parameters: string, command: string) => {
    const [first = 1, second = 1] = parameters === "" ? [] : parameters.split(";").map(Number)
    const line = place.lines[place.row] ?? ""
    switch (command) {
      case "A":
        place.row = Math.max(0, place.row - first)
        return
      case "C":
        place.column = Math.min(columns - 1, place.column + first)
        return
      case "H":
        place.row = first - 1
        place.column = second - 1
        while (place.lines.length <= place.row) place.lines.push("")
        return
      case "J":
        if (parameters === "2") place.lines = place.lines.map(() => "")
        else place.lines = [...place.lines.slice(0, place.row), line.slice(0, place.column)]
        return
      case "K":
        place.lines[place.row] = parameters === "2" ? "" : line.slice(0, place.column)
        return
      case "h":
        return mode(parameters, true)
      case "l":
        return mode(parameters, false)
      case "m":
        return
      default:
        throw new Error(`a sequence that nobody follows: ${parameters}${command}`)
    }
  }

  return {
    write: (text) => {
      // oxlint-disable-next-line no-control-regex -- it is what a terminal acts on
      for (const [piece, parameters, command] of text.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|[^]/gu)) {
        if (parameters !== undefined && command !== undefined) sequence(parameters, command)
        else if (piece === "\r") place.column = 0
        else if (piece === "\n") down()
        else if (piece < " ") throw new Error(`a control character: ${JSON.stringify(piece)}`)
        else put(piece)
      }
    },
    lines: () => {
      const lines = place.lines.map((line) => line.trimEnd())
      return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)
    },
    cursor: () => ({ row: place.row, column: place.column }),
    resize: (narrower) => {
      const wrapped = (line: string) => line.match(new RegExp(`[^]{1,${narrower}}`, "gu")) ?? [""]
      const above = place.lines.slice(0, place.row).flatMap(wrapped)
      const row = above.length + Math.floor(place.column / narrower)
      place = {
        lines: [...above, ...place.lines.slice(place.row).flatMap(wrapped)],
        row,
        column: place.column % narrower
      }
      columns = narrower
    },
    modes: () => [...modes]
  }
}
