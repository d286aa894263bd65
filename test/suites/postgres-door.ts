/**
 * A server that speaks PostgreSQL as far as the door: it lets nobody in.
 */
import { Effect } from "effect"
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

/** The port of a server that answers so, as long as the scope is open. */
export const open = (answer: Answer) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
        const clients = new Set<NodeNet.Socket>()
        const server = NodeNet.createServer((client) => {
          clients.add(client)
          client.on("error", () => undefined)
          client.once("data", () => {
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
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ port }) => port
  )
