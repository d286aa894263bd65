/** What a session stores beside it, and whether that is whole. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { Blob, type Session, type SessionId, Sessions } from "../../../src/index.ts"

/** A message whose text is too large to stand in a session. */
export const message = (word: string): Session.MessageInput => ({ role: "tool", content: `${word}\n`.repeat(20_000) })

/** The first line of what was said: of a large message its word, if all of it is there. */
const wordOf = ({ content }: Session.Message): string => {
  if (typeof content !== "string") return "something else"
  const [word = "", ...others] = content.split("\n")
  return others.every((line, index) => line === (index === others.length - 1 ? "" : word)) ? word : "something else"
}

/** What was said in a session, read to the end. */
export const words = (id: SessionId.SessionId, { conversation }: Session.SessionState) =>
  Effect.forEach(conversation, (message) => Effect.map(Sessions.materialise(id, message), wordOf))

/** Files beside a closed session that no message of it refers to. */
export const surplus = Effect.fnUntraced(function*(directory: string, { conversation }: Session.SessionState) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const blobs = path.join(directory, "blobs")
  const names = (yield* fs.exists(blobs)) ? yield* fs.readDirectory(blobs) : []
  const needed = new Set<string>(Blob.digestsOf(conversation))
  return names.filter((name) => !needed.has(name.replace(/\.\d+$/, ""))).map((name) => `${name} survived`)
})
