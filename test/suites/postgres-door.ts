/**
 * A server that speaks PostgreSQL as far as the door: it lets nobody in.
 */
import { Deferred, Effect } from "effect"
import * as NodeNet from "node:net"

/** What it says to whoever knocks: an error with its code, or nothing at all. */
export type Answer = { readonly code: string; readonly message: string } | "silence"

const errorResponse = ({ code, message }: Exclude<Answer, string>): Buffer => {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write("E")
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

/** Listens until it is closed, and calls when somebody knocks. */
const listen = (answer: Answer, onKnock: () => void) =>
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const clients = new Set<NodeNet.Socket>()
    const server = NodeNet.createServer((client) => {
      clients.add(client)
      client.on("error", () => undefined)
      client.once("data", () => {
        onKnock()
        if (answer !== "silence") client.end(errorResponse(answer))
      })
    }).listen(0, "127.0.0.1", () => {
      const address = server.address()
      const close = () => {
        server.close()
        for (const client of clients) client.destroy()
      }
      resume(Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : 0, close }))
    })
  })

/** A server that answers so, as long as the scope is open: its port, and when somebody has knocked. */
export const open = Effect.fnUntraced(function*(answer: Answer) {
  const knocked = yield* Deferred.make<void>()
  const { port } = yield* Effect.acquireRelease(
    listen(answer, () => Deferred.doneUnsafe(knocked, Effect.void)),
    ({ close }) => Effect.sync(close)
  )
  return { port, isKnocked: Deferred.await(knocked) }
})
