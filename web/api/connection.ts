import { createContext } from 'preact';
import { createStore, type Store } from '../components/store.js';

/** Time between two attempts to reach the API again, milliseconds. */
const probeMs = 2_000;

/** Tells whether the API is reached. A lost connection heals on its own. */
export interface Connection {
  /** True while the API is not reached. */
  readonly isLost: Store<boolean>;
  /** Rises each time that a lost connection is back: queries then read again. */
  readonly heals: Store<number>;
  lost(): void;
  works(): void;
  /** Ends the watch. */
  close(): void;
}

/** Watches the connection. Once it is lost, it asks the API again and again. */
export function watchConnection(): Connection {
  const isLost = createStore(false);
  const heals = createStore(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function works(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!isLost.get()) return;
    isLost.set(false);
    heals.set(heals.get() + 1);
  }
  async function probe(): Promise<void> {
    const answered = await fetch('/health/live').then(
      ({ ok }) => ok,
      () => false,
    );
    if (timer === undefined) return;
    if (answered) works();
    else timer = setTimeout(() => void probe(), probeMs);
  }
  function lost(): void {
    if (isClosed) return;
    isLost.set(true);
    timer ??= setTimeout(() => void probe(), probeMs);
  }
  function close(): void {
    isClosed = true;
    removeEventListener('offline', lost);
    clearTimeout(timer);
    timer = undefined;
  }
  addEventListener('offline', lost);
  return { isLost, heals, lost, works, close };
}

/** The connection of the viewer's session. */
export const ConnectionContext = createContext<Connection>(undefined as never);
