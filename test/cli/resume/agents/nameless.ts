/** No agent: nothing is exported by default. */
export const agent = () => undefined
