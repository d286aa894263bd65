/** Changes of real files, JSON made by its grammar, and names that no store writes. */
import * as Text from "../../../src/core/Text.ts"
import type { Dice } from "./dice.ts"

const tokens = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\"",
  "\\",
  "\n",
  "\0",
  "null",
  "true",
  "-0",
  "1e999",
  "0.1e-400",
  "00",
  "\"\"",
  "\\ud800",
  "\"__proto__\":",
  "\"constructor\":",
  "\"version\":3",
  "\"version\":1",
  "\"id\":",
  "\"signature\":",
  "\"seq\":1,\"batch\":1,",
  "9007199254740993",
  "\"_tag\":\"Moved\"",
  "\ufeff",
  "/**/",
  "[[[[[[[[[[",
  "]]]]]]]]]]"
] as const

const splice = (bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array =>
  Text.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])

const mutations: readonly [
  (dice: Dice, bytes: Uint8Array) => Uint8Array,
  ...ReadonlyArray<(dice: Dice, bytes: Uint8Array) => Uint8Array>
] = [
  (dice, bytes) => {
    const at = dice.below(bytes.length)
    return Uint8Array.from(bytes, (byte, index) => index === at ? byte ^ (1 << dice.below(8)) : byte)
  },
  (dice, bytes) => splice(bytes, dice.below(bytes.length), 0, dice.bytes(1 + dice.below(8))),
  (dice, bytes) => splice(bytes, dice.below(bytes.length), 1 + dice.below(16), new Uint8Array(0)),
  (dice, bytes) => splice(bytes, dice.below(bytes.length), dice.below(4), Text.toBytes(dice.choice(tokens))),
  (dice, bytes) => bytes.subarray(0, dice.below(bytes.length)),
  (dice, bytes) => {
    const at = dice.below(bytes.length)
    return splice(bytes, dice.below(bytes.length), 0, bytes.subarray(at, at + dice.below(200)))
  },
  (dice, bytes) => {
    // A value, or a key, becomes another one.
    const text = new TextDecoder("latin1").decode(bytes)
    const found = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)]
    const token = dice.pick(found)
    return token === undefined ? bytes : splice(bytes, token.index, token[0].length, Text.toBytes(json(dice, 3)))
  }
]

/** A file with one to four changes. */
export const mutated = (dice: Dice, bytes: Uint8Array): Uint8Array => {
  let changed = bytes
  for (let left = 1 + dice.below(4); left > 0; left--) changed = dice.choice(mutations)(dice, changed)
  return changed
}

const texts = [
  "",
  "a",
  "é漢🦊",
  "\\u0000",
  "\\ud83d\\ude00",
  "\\ud800",
  "__proto__",
  "constructor",
  "\\\"",
  " ",
  "x".repeat(300)
] as const
const numbers = [
  "0",
  "-0",
  "1",
  "-1.5",
  "1e2",
  "1e400",
  "123456789012345678901",
  "0.1",
  "1E-7",
  "9007199254740992"
] as const

/** JSON by its grammar, with what the grammar allows and readers dislike. */
export const json = (dice: Dice, depth: number): string => {
  const kind = dice.below(depth <= 0 ? 4 : 7)
  if (kind === 0) return dice.choice(["null", "true", "false"])
  if (kind === 1) return dice.choice(numbers)
  if (kind <= 3) return `"${dice.choice(texts)}"`
  const members = Array.from({ length: dice.below(5) }, () => json(dice, depth - 1))
  if (kind === 4) return `[${members.join(dice.choice([",", " , ", ",\n"]))}]`
  if (kind === 5) return `{${members.map((member) => `"${dice.choice(texts)}":${member}`).join(",")}}`
  const levels = dice.below(200)
  return `${"[".repeat(levels)}${"]".repeat(levels)}`
}

const nameParts = [
  "lease",
  "journal",
  "pending",
  "session",
  "original",
  "creating",
  "deleting",
  ".",
  "..1",
  ".json",
  ".jsonl",
  ".0",
  ".1",
  ".999999999999999",
  ".1e3",
  ".-1",
  ".v2",
  " ",
  "\n",
  "é",
  "🦊",
  "a".repeat(100),
  "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10",
  "6F1F9A52-7C1C-4C55-9B2E-0A6A3B1F2C10"
] as const

export const name = (dice: Dice): string => {
  const made = Array.from({ length: 1 + dice.below(5) }, () => dice.choice(nameParts)).join("").slice(0, 120)
  return made === "." || made === ".." ? "dot" : made
}
