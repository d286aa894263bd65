const noTry = {
  create: (context) => ({
    TryStatement: (node) =>
      context.report({
        node,
        message: "Outside src/node and src/cli failures are values: use Result.try or Effect.try."
      })
  })
}

export default { meta: { name: "reprise" }, rules: { "no-try": noTry } }
