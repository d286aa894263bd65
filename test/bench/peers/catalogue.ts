/** Everybody who is measured. */
import * as Variants from "../variants.ts"
import type { Peer } from "./peer.ts"
import { openWith } from "./reprise.ts"

const variants = Variants.all.map((variant): Peer => ({
  name: `Reprise, ${variant.name}`,
  packages: {},
  validates: true,
  verifies: true,
  module: () => Promise.resolve({ open: openWith(variant) })
}))

export const peers: ReadonlyArray<Peer> = [
  ...variants,
  {
    name: "JSONL",
    packages: {},
    validates: false,
    verifies: false,
    module: () => import("./jsonl-plain.ts")
  },
  {
    name: "JSONL, fsync",
    packages: {},
    validates: false,
    verifies: false,
    module: () => import("./jsonl-synced.ts")
  },
  {
    name: "lowdb",
    packages: { lowdb: "7.0.1" },
    validates: false,
    verifies: false,
    module: () => import("./lowdb.ts")
  },
  {
    name: "conf",
    packages: { conf: "16.0.0" },
    validates: true,
    verifies: false,
    module: () => import("./conf.ts")
  },
  {
    name: "effect/ai Chat",
    packages: {},
    validates: true,
    verifies: false,
    module: () => import("./effect-chat.ts")
  },
  {
    name: "LangGraph SqliteSaver",
    packages: {
      "@langchain/core": "1.4.0",
      "@langchain/langgraph-checkpoint": "1.2.2",
      "@langchain/langgraph-checkpoint-sqlite": "1.0.4"
    },
    // Its better-sqlite3 is built, or fetched from elsewhere, when it is installed; this one has the same API and comes as it is.
    overrides: { "better-sqlite3": "npm:libsql@0.5.29" },
    validates: false,
    verifies: false,
    module: () => import("./langgraph.ts")
  },
  {
    name: "Mastra LibSQL",
    packages: { "@mastra/core": "1.71.0", "@mastra/libsql": "1.23.1", "@mastra/memory": "1.31.0" },
    validates: false,
    verifies: false,
    module: () => import("./mastra.ts")
  },
  {
    name: "pi SessionManager",
    packages: { "@mariozechner/pi-coding-agent": "0.73.1" },
    validates: false,
    verifies: false,
    module: () => import("./pi.ts")
  },
  {
    name: "Gemini CLI recorder",
    packages: { "@google/gemini-cli-core": "0.61.0" },
    validates: false,
    verifies: false,
    module: () => import("./gemini.ts")
  },
  {
    name: "OpenAI MemorySession",
    packages: { "@openai/agents": "0.20.0" },
    validates: false,
    verifies: false,
    module: () => import("./openai.ts")
  }
]
