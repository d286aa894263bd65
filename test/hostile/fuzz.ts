/**
 * Reads files that nobody should read: changed ones, signed again with the real
 * key, made by JSON's grammar, and random ones.
 *
 * `npm run fuzz [-- --inputs 200000 --seed 1]`
 */
import { Effect } from "effect"
import * as Campaign from "../rigs/campaign.ts"
import * as Fuzzer from "./fuzzing/fuzzer.ts"

Campaign.main(
  "fuzz",
  { inputs: 200_000 },
  ({ inputs }) =>
    Effect.map(Fuzzer.run({ inputs }), ({ findings, heap, outcomes }) => ({
      counts: `${inputs} inputs, heap at most ${Math.round(heap / 1024 / 1024)} MiB\n${
        [...outcomes].sort(([one], [other]) => one < other ? -1 : 1).map(([name, count]) =>
          `${String(count).padStart(8)} ${name}`
        ).join("\n")
      }\n`,
      findings
    }))
)
