/** As much of the peers' packages as is used here. They are installed into folders of their own, and have no types there. */

declare module "lowdb/node" {
  export const JSONFilePreset: <Data>(file: string, data: Data) => Promise<{
    readonly data: Data
    readonly write: () => Promise<void>
    readonly update: (change: (data: Data) => unknown) => Promise<void>
  }>
}

declare module "conf" {
  export default class Conf<Data extends Record<string, unknown>> {
    constructor(options: { readonly cwd: string; readonly configName: string; readonly schema: object })
    get<Key extends keyof Data>(key: Key): Data[Key]
    set<Key extends keyof Data>(key: Key, value: Data[Key]): void
    appendToArray(key: keyof Data, value: unknown): void
  }
}

declare module "@langchain/core/messages" {
  export class BaseMessage {
    readonly content: unknown
  }
  export class HumanMessage extends BaseMessage {
    constructor(fields: { readonly id: string; readonly content: string })
  }
  export class AIMessage extends BaseMessage {
    constructor(fields: { readonly id: string; readonly content: string })
  }
}

declare module "@langchain/langgraph-checkpoint" {
  import type { BaseMessage } from "@langchain/core/messages"
  export interface Checkpoint {
    readonly id: string
    readonly channel_values: { readonly messages?: ReadonlyArray<BaseMessage> }
  }
  export const emptyCheckpoint: () => Checkpoint
  export const uuid6: (clock: number) => string
}

declare module "@langchain/langgraph-checkpoint-sqlite" {
  import type { Checkpoint } from "@langchain/langgraph-checkpoint"
  export interface Config {
    readonly configurable?: {
      readonly thread_id: string
      readonly checkpoint_ns?: string
      readonly checkpoint_id?: string
    }
  }
  export class SqliteSaver {
    static fromConnString(file: string): SqliteSaver
    put(config: Config, checkpoint: Checkpoint, metadata: object): Promise<Config>
    getTuple(config: Config): Promise<{ readonly checkpoint: Checkpoint } | undefined>
    list(config: Config): AsyncIterable<{ readonly checkpoint: Checkpoint }>
  }
}

declare module "@mastra/libsql" {
  export class LibSQLStore {
    readonly id: string
    constructor(options: { readonly id: string; readonly url: string })
  }
}

declare module "@mastra/memory" {
  import type { LibSQLStore } from "@mastra/libsql"
  export interface Message {
    readonly id: string
    readonly threadId: string
    readonly resourceId: string
    readonly role: "user" | "assistant"
    readonly createdAt: Date
    readonly content: {
      readonly format: 2
      readonly parts: ReadonlyArray<{ readonly type: "text"; readonly text: string }>
    }
  }
  export class Memory {
    constructor(options: {
      readonly storage: LibSQLStore
      readonly options: { readonly lastMessages: false; readonly semanticRecall: false }
    })
    createThread(
      thread: { readonly threadId: string; readonly resourceId: string; readonly title: string }
    ): Promise<unknown>
    saveMessages(options: { readonly messages: ReadonlyArray<Message> }): Promise<unknown>
    recall(options: { readonly threadId: string; readonly resourceId: string; readonly perPage: false }): Promise<{
      readonly messages: ReadonlyArray<Message>
    }>
    listThreads(options: { readonly filter: { readonly resourceId: string }; readonly perPage: false }): Promise<{
      readonly threads: ReadonlyArray<unknown>
    }>
  }
}

declare module "@mariozechner/pi-coding-agent" {
  export interface Message {
    readonly role: "user" | "assistant"
    readonly content: ReadonlyArray<{ readonly type: "text"; readonly text: string }>
    readonly timestamp: number
  }
  export class SessionManager {
    static create(cwd: string, directory: string): SessionManager
    static open(file: string): SessionManager
    static list(cwd: string, directory: string): Promise<ReadonlyArray<unknown>>
    appendMessage(message: Message): string
    getSessionFile(): string | undefined
    buildSessionContext(): { readonly messages: ReadonlyArray<Message> }
  }
}

declare module "@google/gemini-cli-core/dist/src/services/chatRecordingService.js" {
  export class ChatRecordingService {
    constructor(context: {
      readonly promptId: string
      readonly config: {
        readonly getProjectRoot: () => string
        readonly storage: { readonly getProjectTempDir: () => string }
      }
    })
    initialize(): Promise<void>
    recordMessage(message: {
      readonly model: string
      readonly type: "user" | "gemini"
      readonly content: ReadonlyArray<{ readonly text: string }>
    }): string
    getConversationFilePath(): string | null
  }
  export const loadConversationRecord: (
    file: string,
    options?: { readonly metadataOnly: boolean }
  ) => Promise<{ readonly messages: ReadonlyArray<unknown> } | null>
}

declare module "@openai/agents" {
  export class MemorySession {
    constructor(options: { readonly sessionId: string })
    addItems(items: ReadonlyArray<{ readonly role: "user" | "assistant"; readonly content: unknown }>): Promise<void>
    getItems(): Promise<ReadonlyArray<unknown>>
  }
}
