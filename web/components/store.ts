import { useEffect, useState } from 'preact/hooks';

/** One value that components follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** @returns a function that ends the calls */
  subscribe(listener: (value: T) => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Gives the value of a store, and draws again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState({ store, value: store.get() });
  useEffect(() => {
    const take = (): void => setValue({ store, value: store.get() });
    take();
    return store.subscribe(take);
  }, [store]);
  return value.store === store ? value.value : store.get();
}
