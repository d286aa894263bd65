import { describe, it } from "@effect/vitest"
import { assertFailure, assertSuccess, strictEqual } from "@effect/vitest/utils"
import { Schema } from "effect"
import { ProjectPath, Session, SessionError } from "effect-reprise"
import * as NodePath from "node:path"
import { small } from "./documents.ts"

const check = (path: string) => ProjectPath.check(path, NodePath.posix.isAbsolute)

const refused = (path: string, ...issues: ReadonlyArray<string>): void =>
  assertFailure(check(path), new SessionError.InvalidSession({ issues }))

const tooLong = "project is longer than 4096 bytes"

/** Characters, and the bytes of each. */
const characters: ReadonlyArray<readonly [string, number]> = [["x", 1], ["é", 2], ["漢", 3], ["👋", 4]]

/** A path of exactly so many bytes. */
const pathOf = (character: string, each: number, bytes: number): string => {
  const many = Math.floor((bytes - 1) / each)
  return `/${character.repeat(many)}${"x".repeat(bytes - 1 - many * each)}`
}

describe("ProjectPath.check", () => {
  it("takes an absolute path as it is", () => {
    for (const path of ["/", "/home", "/home/my project", "/wörk/漢字", "/a/../b", "/line\nbreak", " /".trim()]) {
      assertSuccess(check(path), path)
    }
  })

  it("refuses a path that is not absolute", () => {
    for (const path of ["", ".", "..", "work", "./home", "../home", "~", "~/home", "C:\\work", " /home"]) {
      refused(path, "project is not an absolute path")
    }
  })

  it("refuses NUL and lone surrogates", () => {
    refused("/home\0", "project contains NUL")
    refused("/home\0/../etc", "project contains NUL")
    refused("/home\ud800", "project contains lone surrogates")
  })

  it("accepts 4096 bytes and refuses 4097, whatever the bytes of a character", () => {
    for (const [character, each] of characters) {
      const longest = pathOf(character, each, ProjectPath.maxBytes)
      assertSuccess(check(longest), longest)
      refused(pathOf(character, each, ProjectPath.maxBytes + 1), tooLong)
    }
  })

  it("names every issue at once, and never the path", () => {
    const path = `S3CRET\0\ud800${"x".repeat(5000)}`
    refused(
      path,
      "project is not an absolute path",
      "project contains NUL",
      "project contains lone surrogates",
      tooLong
    )
  })
})

describe("Session.projectPath", () => {
  it("a stored project path has the same limit in bytes", () => {
    const is = Schema.is(Session.Session)
    const withPath = (projectPath: string) => is({ ...small.session, projectPath })
    for (const [character, each] of characters) {
      strictEqual(withPath(pathOf(character, each, ProjectPath.maxBytes)), true)
      strictEqual(withPath(pathOf(character, each, ProjectPath.maxBytes + 1)), false, character)
    }
    strictEqual(withPath(""), false)
  })
})

describe("ProjectPath.isSame", () => {
  it("is false as soon as one fact differs", () => {
    const fingerprint = { path: "/home", dev: "1", ino: "2", uid: "3", gid: "4", mode: "5" }
    strictEqual(ProjectPath.isSame(fingerprint, { ...fingerprint }), true)
    for (const fact of Object.keys(fingerprint)) {
      strictEqual(ProjectPath.isSame(fingerprint, { ...fingerprint, [fact]: "other" }), false)
      strictEqual(ProjectPath.isSame({ ...fingerprint, [fact]: "" }, fingerprint), false)
    }
  })
})
