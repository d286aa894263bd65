/**
 * What tells one state of a directory from any other.
 */
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"

/** A hash of everything below a directory: names, kinds, modes, times of change, and bytes. */
export const fingerprint = (directory: string): string => {
  const hash = NodeCrypto.createHash("sha256")
  for (const name of NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const path = NodePath.join(directory, name)
    const { ctimeNs, ino, mode, mtimeNs, size } = NodeFs.lstatSync(path, { bigint: true })
    hash.update(`${name} ${ino} ${mode} ${size} ${mtimeNs} ${ctimeNs}\n`)
    if (NodeFs.lstatSync(path).isFile()) hash.update(NodeFs.readFileSync(path))
  }
  return hash.digest("hex")
}
