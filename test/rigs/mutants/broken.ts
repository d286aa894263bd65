/** Stores that break a promise when they are killed or watched, by name: a process takes it as an argument. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Liveness } from "../../../src/index.ts"
import { NodeLiveness } from "../../../src/node/index.ts"
import * as BlindLiveness from "./blind-liveness.ts"
import * as DroppedWrites from "./dropped-writes.ts"
import * as LeftFiles from "./left-files.ts"
import * as OpenDescriptors from "./open-descriptors.ts"
import * as RememberedReads from "./remembered-reads.ts"
import * as RenameFirst from "./rename-first.ts"

const disks = {
  "dropped-writes": DroppedWrites.make,
  "left-files": LeftFiles.make,
  "open-descriptors": OpenDescriptors.make,
  "remembered-reads": RememberedReads.make,
  "rename-first": RenameFirst.make
}

export type Mutant = keyof typeof disks | "blind-liveness"

const isDisk = (name: string): name is keyof typeof disks => name in disks

/** The disk that is provided, or the broken one over it. */
export const layerDisk = (mutant?: string): Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => mutant !== undefined && isDisk(mutant) ? disks[mutant](fs) : fs)
  )

export const layerLiveness = (mutant?: string): Layer.Layer<Liveness.Liveness> =>
  mutant === "blind-liveness" ? BlindLiveness.layer : NodeLiveness.layer
