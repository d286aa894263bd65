/**
 * The PostgreSQL that all test files share, for a run of the tests.
 * `REPRISE_TEST_PG` names another server.
 */
import { Effect, Layer } from "effect"
import * as NodeNet from "node:net"
import { inject } from "vitest"
import * as Postgres from "./postgres.ts"

/** The server that this run of the tests has started, or starts now. */
const shared = Effect.callback<string>((resume) => {
  let answer = ""
  NodeNet.connect(inject("postgresSocket"))
    .on("data", (chunk) => answer += chunk.toString())
    .on("error", (error) => resume(Effect.die(error)))
    .on("end", () => resume(answer.startsWith("postgres") ? Effect.succeed(answer) : Effect.die(new Error(answer))))
})

let found: string | undefined = process.env["REPRISE_TEST_PG"]

export const url = Effect.suspend(() =>
  found !== undefined ? Effect.succeed(found) : Effect.tap(shared, (url) =>
    Effect.sync(() => {
      found = url
    }))
)

/** A schema that goes with the scope. */
export const database = Effect.flatMap(url, Postgres.schemaIn)

/** A client of a schema of its own, which goes with the layer. */
export const layer = Layer.unwrap(Effect.map(database, (place) => Postgres.layerClient(place)))
