/** No agent: it can't be loaded. */
throw new Error("out of order")
