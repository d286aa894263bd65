/** effect/ai's Chat, persisted in a KeyValueStore of files: the whole chat, written again with each message. */
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, Layer, ManagedRuntime, Ref } from "effect"
import { Chat, Prompt } from "effect/ai"
import { KeyValueStore, Persistence } from "effect/persistence"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"
import { listWith } from "./whole-files.ts"

/** Tool results want their calls beside them in a prompt: as texts all messages do. */
const encode = (message: Message): Prompt.MessageEncoded =>
  message.role === "user"
    ? { role: "user", content: [{ type: "text", text: textOf(message) }] }
    : { role: "assistant", content: [{ type: "text", text: textOf(message) }] }

export const open: Open = async (directory) => {
  const layer = Chat.layerPersisted({ storeId: "chats" }).pipe(
    Layer.provide(Persistence.layerBackingKvs),
    Layer.provide(KeyValueStore.layerFileSystem(directory)),
    Layer.provide([NodeFileSystem.layer, NodePath.layer])
  )
  const runtime = ManagedRuntime.make(layer)
  const load = Effect.fnUntraced(function*(id: string) {
    const { get } = yield* Chat.Persistence
    const chat = yield* get(id)
    return (yield* Ref.get(chat.history)).content.length
  })
  return {
    create: (id, messages) =>
      runtime.runPromise(Effect.gen(function*() {
        const { getOrCreate } = yield* Chat.Persistence
        const chat = yield* getOrCreate(id)
        yield* Ref.set(chat.history, Prompt.make(messages.map(encode)))
        yield* chat.save
        return {
          append: (message: Message) =>
            runtime.runPromise(
              Effect.andThen(Ref.update(chat.history, Prompt.concat([encode(message)])), chat.save)
            )
        }
      })),
    load: (id) => runtime.runPromise(load(id)),
    // A key is the store's name, a colon, and the id of the chat.
    list: () =>
      listWith(directory, (name) => runtime.runPromise(load(decodeURIComponent(name).split(":").at(-1) ?? "")))
  }
}
