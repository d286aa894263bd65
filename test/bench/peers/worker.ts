/** The work that every peer does, on the same messages. */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Conversation from "../fixtures/conversation.ts"
import * as Stored from "../fixtures/sessions.ts"
import type { Conversation as Session, Open, Store } from "./peer.ts"
import type { Request } from "./talk.ts"

/** The message that is appended, of 1 KiB as this library stores it. */
const message = Conversation.ofExactly(1024)

/** Ids whose first eight characters tell them apart, for those who look no further. */
const idOf = (number: number): string => `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`

const repeat = async (times: number, run: () => Promise<unknown>): Promise<ReadonlyArray<number>> => {
  const taken: Array<number> = []
  for (let time = 0; time < times; time++) {
    const begun = performance.now()
    await run()
    taken.push(performance.now() - begun)
  }
  return taken
}

const counters = "/proc/self/io"

/** Bytes that this process has written so far, threads and native code included. */
const written = (): number => Number(/^wchar: (\d+)$/m.exec(NodeFs.readFileSync(counters, "utf8"))?.[1])

const expect = (what: string, found: number, expected: number): void => {
  if (found !== expected) throw new Error(`${what} ${found} and not ${expected}`)
}

export const make = async (open: Open, { directory, seed }: { readonly directory: string; readonly seed: number }) => {
  const emptyStore = (name: string) => {
    const place = NodePath.join(directory, name)
    NodeFs.mkdirSync(place)
    return open(place)
  }
  const sessions = new Map<number, { readonly session: Session; appended: number }>()
  const store = await emptyStore("sessions")
  let filled: Store | undefined

  const sessionOf = (messages: number) => {
    const found = sessions.get(messages)
    if (found === undefined) throw new Error(`there is no session of ${messages} messages`)
    return found
  }

  const append = async (messages: number) => {
    const found = sessionOf(messages)
    await found.session.append(message)
    found.appended++
  }

  return async (request: Request): Promise<ReadonlyArray<number>> => {
    switch (request._tag) {
      case "Store": {
        const { messages } = request
        const session = await store.create(idOf(messages), Stored.messagesOf(seed, messages))
        sessions.set(messages, { session, appended: 0 })
        return []
      }
      case "Append":
        return repeat(request.times, () => append(request.messages))
      case "Load": {
        const { messages, times } = request
        return repeat(
          times,
          async () => expect("messages were", await store.load(idOf(messages)), messages + sessionOf(messages).appended)
        )
      }
      case "Written": {
        if (!NodeFs.existsSync(counters)) return []
        const before = written()
        await repeat(request.times, () => append(request.messages))
        return [(written() - before) / request.times]
      }
      case "Fill": {
        filled = await emptyStore("listed")
        const messages = Stored.messagesOf(seed, request.messages)
        for (let number = 0; number < request.sessions; number++) {
          const session = await filled.create(idOf(number), messages)
          await session.close?.()
        }
        return []
      }
      case "List":
        return repeat(
          request.times,
          async () => expect("sessions were", await filled?.list() ?? 0, request.sessions)
        )
    }
  }
}
