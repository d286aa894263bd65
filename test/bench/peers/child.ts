/** The process of one peer, which does what it is asked. */
import { Effect, Schema } from "effect"
import { registerHooks } from "node:module"
import * as NodePath from "node:path"
import { pathToFileURL } from "node:url"
import { peers } from "./catalogue.ts"
import { type Reply, Request, Start } from "./talk.ts"
import { because } from "./unfit.ts"
import * as Worker from "./worker.ts"

const start = Schema.decodeUnknownSync(Start)(process.argv[2])
const peer = peers.find(({ name }) => name === start.peer)
if (peer === undefined) throw new Error(`there is no peer ${start.peer}`)

const isPackageOf = (specifier: string): boolean =>
  Object.keys(peer.packages).some((name) => specifier === name || specifier.startsWith(`${name}/`))

// What was installed for the peer is found as if its file stood beside it.
const parentURL = pathToFileURL(NodePath.join(start.packages, "package.json")).href
const here = new URL(".", import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) =>
    context.parentURL?.startsWith(here) === true && isPackageOf(specifier)
      ? next(specifier, { ...context, parentURL })
      : next(specifier, context)
})

const { open } = await peer.module()
const work = await Worker.make(open, start)

const answer = (input: unknown): Promise<Reply> =>
  Effect.runPromise(
    Schema.decodeUnknownEffect(Request)(input).pipe(
      Effect.mapError(because),
      Effect.flatMap((request) => Effect.tryPromise({ try: () => work(request), catch: because })),
      Effect.match({
        onFailure: ({ reason }): Reply => ({ _tag: "Failed", reason }),
        onSuccess: (values): Reply => ({ _tag: "Done", values })
      })
    )
  )

const { appends } = start
if (appends === undefined) {
  process.on("message", (input) => void answer(input).then((reply) => process.send?.(reply)))
  process.send?.({ _tag: "Done", values: [] })
} else {
  await work({ _tag: "Store", messages: 100 })
  await work({ _tag: "Append", messages: 100, times: appends })
  process.exit(0)
}
