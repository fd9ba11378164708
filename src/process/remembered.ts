/** Time for which an answer is remembered, milliseconds. */
const defaultMs = 1_000;

/** Remembers an answer for a while. Calls at the same time share one reading, so that a flood of them costs no more. */
export function remembered<T>(read: () => Promise<T>, milliseconds = defaultMs): () => Promise<T> {
  let last: { readonly value: Promise<T>; readonly until: number } | undefined;
  return () => {
    const now = performance.now();
    if (!last || now >= last.until) last = { value: read(), until: now + milliseconds };
    return last.value;
  };
}
