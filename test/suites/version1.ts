/**
 * Real files of version 1 with the key that signed them, and files like them
 * that are written here: laid out, and signed where that is wanted, as that
 * program does it.
 */
import { Redacted } from "effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"

const directory = new URL("../fixtures/version1/", import.meta.url)

export const names = ["empty", "floats", "nested", "todos", "usage"] as const

export const pathOf = (name: typeof names[number]): string => fileURLToPath(new URL(`${name}.json`, directory))

export const bytesOf = (name: typeof names[number]): Uint8Array => new Uint8Array(NodeFs.readFileSync(pathOf(name)))

/** What was signed, as that program's own code wrote it down. */
export const signedBytesOf = (name: typeof names[number]): Uint8Array =>
  new Uint8Array(NodeFs.readFileSync(new URL(`${name}.signed-bytes`, directory)))

const facts = new Map(
  NodeFs.readFileSync(new URL("key.txt", directory), "utf8").split("\n").map((line) => {
    const at = line.indexOf("=")
    return [line.slice(0, at), line.slice(at + 1)] as const
  })
)

const fact = (name: string): string => facts.get(name) ?? ""

export const key = {
  application: fact("salt"),
  secret: new TextEncoder().encode(fact("secret")),
  host: fact("hostname"),
  hex: fact("key_hex")
}

/** What the import needs to verify the real files, and those that are signed here. */
export const credentials = { secret: Redacted.make(key.secret), host: key.host }

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const isArray = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

const escaped = (text: string): string => JSON.stringify(text)

/** JSON as that program lays it out: keys in order, two spaces a level, a line for each element. */
export const layOut = (value: Json, indent = ""): string => {
  if (value === null || typeof value !== "object") return typeof value === "string" ? escaped(value) : String(value)
  const inner = `${indent}  `
  if (isArray(value)) {
    return value.length === 0 ? "[]" : `[\n${value.map((item) => inner + layOut(item, inner)).join(",\n")}\n${indent}]`
  }
  const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return members.length === 0
    ? "{}"
    : `{\n${members.map(([key, item]) => `${inner}${escaped(key)}: ${layOut(item, inner)}`).join(",\n")}\n${indent}}`
}

/** A JSON object, keys and all. */
export const parse: (text: string) => { readonly [key: string]: Json } = JSON.parse

export const macOf = (bytes: Uint8Array | string, keyHex = key.hex): string =>
  NodeCrypto.createHmac("sha256", Buffer.from(keyHex, "hex")).update(bytes).digest("base64")

/** A file as that program writes it: the signature is computed without it, and then takes its place among the keys. */
export const sign = (document: { readonly [key: string]: Json }): string =>
  layOut({ ...document, signature: macOf(layOut(document)) })

/** Adds the signature's line to text that is laid out already, where that program puts it: before the todos. */
export const signText = (text: string): string =>
  text.replace("\n  \"todos\"", `\n  "signature": "${macOf(text)}",\n  "todos"`)

export const id = "550e8400-e29b-41d4-a716-446655440000"

/** A small session of version 1. */
export const document = {
  version: 1,
  id,
  name: "n",
  project_path: "/tmp/p",
  config: { provider: "anthropic", model: "m", temperature: 0.5, max_tokens: 100 },
  created_at: "2024-01-01T00:00:00Z",
  updated_at: "2024-01-02T00:00:00Z",
  closed_at: "2024-01-03T00:00:00Z",
  conversation: [],
  todos: []
} satisfies { readonly [key: string]: Json }

export const message = (id: string, timestamp: string, more: { readonly [key: string]: Json } = {}) => ({
  id,
  role: "user",
  content: `said ${id}`,
  timestamp,
  ...more
})

/** A copy of the small session with some members changed. */
export const documentWith = (members: { readonly [key: string]: Json }): { readonly [key: string]: Json } => ({
  ...document,
  ...members
})

export const documentWithout = (...keys: ReadonlyArray<string>): { readonly [key: string]: Json } =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)))
