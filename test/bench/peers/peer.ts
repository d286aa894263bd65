/** What others do with the sessions of agents, behind one interface. */
import type { Session } from "effect-reprise"

export type Message = Session.MessageInput

/** A session that is added to. */
export interface Conversation {
  /** Comes back when the peer says that the message is stored. */
  readonly append: (message: Message) => Promise<unknown>
  /** Ends it, where the peer knows an end. */
  readonly close?: () => Promise<unknown>
}

/** Sessions, the way the peer stores them. */
export interface Store {
  /** Stores a session with these messages, by the shortest way that there is. */
  readonly create: (id: string, messages: ReadonlyArray<Message>) => Promise<Conversation>
  /** The messages of a stored session, read as a process would that has not seen it: how many there are. */
  readonly load: (id: string) => Promise<number>
  /** How many sessions are stored, each with what a person needs to choose one. */
  readonly list: () => Promise<number>
}

/** Starts a store in an empty directory. */
export type Open = (directory: string) => Promise<Store>

/** What is known of a peer before it is measured. */
export interface Peer {
  readonly name: string
  /** Name and exact version of what is installed for it. */
  readonly packages: Readonly<Record<string, string>>
  /** What takes the place of packages that these depend on. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Whether a load checks the shape of what it reads. */
  readonly validates: boolean
  /** Whether a load finds out that somebody changed what was stored. */
  readonly verifies: boolean
  readonly module: () => Promise<{ readonly open: Open }>
}

/** The text of a message, for peers that store nothing else. */
export const textOf = ({ content }: Message): string => typeof content === "string" ? content : JSON.stringify(content)
