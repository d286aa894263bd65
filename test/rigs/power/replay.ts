/**
 * A recorded trace, done again on a disk of the model.
 */
import { Result } from "effect"
import type { Step } from "../trace.ts"
import * as Disk from "./disk.ts"

const unless = (code: Disk.Code) => (outcome: Result.Result<void, Disk.Code>): Result.Result<void, Disk.Code> =>
  Result.isFailure(outcome) && outcome.failure === code ? Result.void : outcome

/** Does one step after the other: each is to succeed, as it did before. */
export const onto = <Mark>(disk: Disk.Disk): (step: Step<Mark>) => Result.Result<void, Disk.Code> => {
  const opened = new Map<number, Disk.Descriptor>()
  const on = (number: number, use: (descriptor: Disk.Descriptor) => Result.Result<void, Disk.Code>) => {
    const descriptor = opened.get(number)
    return descriptor === undefined ? Result.fail<Disk.Code>("EINVAL") : use(descriptor)
  }
  return (step) => {
    switch (step._tag) {
      case "Mark":
        return Result.void
      case "MakeDirectory":
        return Disk.makeDirectory(disk, step.path, step.mode)
      case "Open":
        return Result.map(
          Disk.open(disk, step.path, step.flag, step.mode),
          (descriptor) => void opened.set(step.descriptor, descriptor)
        )
      case "Write":
        return on(step.descriptor, (descriptor) => Disk.write(disk, descriptor, step.bytes))
      case "Truncate":
        return on(step.descriptor, (descriptor) => Disk.truncate(disk, descriptor, step.size))
      case "Sync":
        return on(step.descriptor, (descriptor) => Result.succeed(Disk.sync(descriptor)))
      case "Link":
        return Disk.link(disk, step.path, step.to)
      case "Rename":
        return Disk.rename(disk, step.path, step.to)
      case "Remove":
        return unless("ENOENT")(Disk.remove(disk, step.path, true))
    }
  }
}
