/** Plain JSONL, on the disk when the append comes back. */
import { openWith } from "./jsonl.ts"

export const open = openWith({ sync: true })
