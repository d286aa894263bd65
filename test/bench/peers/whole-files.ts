/** Listing for peers that have no list: what an application would write over them. */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"

/** Reads one session after the other, since any of them may be the newest. */
export const listWith = async (directory: string, load: (id: string) => Promise<number>): Promise<number> => {
  const names = await NodeFs.promises.readdir(directory)
  const counts: Array<number> = []
  for (const name of names) counts.push(await load(NodePath.basename(name, ".json")))
  return counts.length
}
