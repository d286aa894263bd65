/**
 * What people call: sessions are created, listed, loaded, resumed, saved and
 * removed.
 *
 * @since 0.1.0
 */
export { checkpoint, close } from "./Close.ts"
export { type Copy, type CopyError, copyFrom, type CopyOptions, type CopyOutcome } from "./CopyFrom.ts"
export { create, type CreateOptions } from "./Create.ts"
export { type ExportOptions, type ExportReport, exportTo } from "./Export.ts"
export { fork, type ForkOptions, type ForkReport } from "./Fork.ts"
export type {
  HistoryError,
  HistoryOutcome,
  HistoryProgress,
  HistoryReport,
  ImportHistoryOptions
} from "./HistoryReport.ts"
export { importFile, type ImportOptions, type ImportReport } from "./Import.ts"
export { type HistoryServices, importHistory } from "./ImportHistory.ts"
export { find, type FindOptions, list } from "./List.ts"
export { load, type LoadedSession, type LoadReport, verify } from "./Load.ts"
export { blob, materialise } from "./Materialise.ts"
export { rename } from "./Rename.ts"
export { resume, type ResumeError, type ResumeOptions, resumeScoped, type ResumeServices } from "./Resume.ts"
export { rotate, type RotateOptions, type Rotation, type RotationOutcome } from "./Rotate.ts"
export { type Match, search, type SearchQuery, type SearchResult, type Unsearched } from "./Search.ts"
export { cleanup, type CleanupOptions, type CleanupReport, purge, remove, restore } from "./Trash.ts"
