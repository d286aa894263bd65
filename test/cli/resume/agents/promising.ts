/** No agent: what it returns is a promise. */
export default () => Promise.resolve("done")
