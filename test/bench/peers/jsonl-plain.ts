/** Plain JSONL, in the hands of the operating system when the append comes back. */
import { openWith } from "./jsonl.ts"

export const open = openWith({ sync: false })
