/**
 * A value made once a turn of the event loop, the same for all who ask within the turn: what is decided at the same time
 * then has the same timestamp, and can be written as one.
 */
export function oncePerTurn<T extends object>(make: () => T): () => T {
  let present: T | undefined;
  return () => {
    if (!present) {
      present = make();
      setImmediate(() => (present = undefined));
    }
    return present;
  };
}
