/** The disks that a store can be put on: the real one, and those that break a rule of its leases. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as KeptPending from "./kept-pending.ts"
import * as OverwritingLink from "./overwriting-link.ts"
import * as RestartedEpochs from "./restarted-epochs.ts"
import * as UnfencedPublish from "./unfenced-publish.ts"

const disks = {
  real: (fs: FileSystem.FileSystem) => fs,
  "kept-pending": KeptPending.make,
  "overwriting-link": OverwritingLink.make,
  "restarted-epochs": RestartedEpochs.make,
  "unfenced-publish": UnfencedPublish.make
}

export type Disk = keyof typeof disks

export const isDisk = (name: string): name is Disk => name in disks

/** That disk over the one that is provided. */
export const layer = (disk: Disk) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(Effect.all([FileSystem.FileSystem, Path.Path]), ([fs, path]) => disks[disk](fs, path))
  )
