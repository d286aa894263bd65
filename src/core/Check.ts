/**
 * Checks values against schemas and keeps them as they are. Stored types are
 * plain JSON, so a value that passes needs no rebuilding, and members that the
 * schema does not know survive.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Json from "./Json.ts"
import { Shape } from "./SessionError.ts"

const describe = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * A check for one schema: the JSON value itself, or all its mistakes by place and
 * expectation. Mistakes never show values.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): (input: Schema.Json) => Result.Result<S["Type"], readonly [Shape, ...ReadonlyArray<Shape>]> => {
  for (const ast of [schema.ast, SchemaAST.toType(schema.ast)]) SchemaJITCompiler.enable(ast)
  const is = Schema.is(schema)
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  return (input) => {
    if (is(input)) return Result.succeed(input)
    const decoded = decode(input)
    const [first, ...others] = Result.isFailure(decoded)
      ? describe(decoded.failure.issue).issues.map(({ message, path }) =>
        new Shape({
          path: Json.formatPath((path ?? []).map((step) => typeof step === "object" ? step.key : step)),
          expected: message === "Missing key" ? "present" : message.replace(/^Expected /, "")
        })
      )
      : []
    return Result.fail([first ?? new Shape({ path: "", expected: "a value of the stored form" }), ...others])
  }
}
