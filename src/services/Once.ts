/**
 * What is made when it is asked for.
 *
 * @since 0.1.0
 */

/**
 * Made once, and kept: nothing that it is made from is held any longer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const once = <A extends object, B>(from: A, make: (from: A) => B): () => B => {
  let state: { readonly from: A } | { readonly made: B } = { from }
  return () => {
    if ("from" in state) state = { made: make(state.from) }
    return state.made
  }
}
