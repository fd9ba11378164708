import { createContext } from 'preact';
import { createStore, type Store } from '../components/store.js';

/** Time between two attempts to reach the API again, milliseconds. */
const probeMs = 2_000;
/** Time without an answer after which the API is asked whether it is still there, milliseconds. */
const quietMs = 15_000;

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

/** Longest time that the API may take to say that it is there, milliseconds. */
const patienceMs = 5_000;

/**
 * Asks whether the API is reached. An answer that refuses is an answer too. The address of its health may be closed to
 * browsers: it has that of the console.
 */
export const isReached = (): Promise<boolean> =>
  fetch('/console.json', { cache: 'no-store', signal: AbortSignal.timeout(patienceMs) }).then(
    ({ status }) => status < 500,
    () => false,
  );

/** Watches the connection. A page that asks for nothing notices a loss too. A lost connection is tried again and again. */
export function watchConnection(): Connection {
  const isLost = createStore(false);
  const heals = createStore(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function probeIn(milliseconds: number): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void probe(), milliseconds);
  }
  function works(): void {
    probeIn(quietMs);
    if (!isLost.get()) return;
    isLost.set(false);
    heals.set(heals.get() + 1);
  }
  async function probe(): Promise<void> {
    timer = undefined;
    // A page in the background is silent. It asks when it comes back into view.
    if (document.visibilityState === 'hidden' && !isLost.get()) return;
    const answered = await isReached();
    // An answer to another request came first.
    if (timer !== undefined || isClosed) return;
    if (answered) works();
    else lost();
  }
  function lost(): void {
    if (isClosed || (isLost.get() && timer !== undefined)) return;
    isLost.set(true);
    probeIn(probeMs);
  }
  const look = (): void => {
    if (document.visibilityState === 'visible') probeIn(0);
  };
  function close(): void {
    isClosed = true;
    removeEventListener('offline', lost);
    document.removeEventListener('visibilitychange', look);
    clearTimeout(timer);
    timer = undefined;
  }
  addEventListener('offline', lost);
  document.addEventListener('visibilitychange', look);
  probeIn(quietMs);
  return { isLost, heals, lost, works, close };
}

/** The connection of the viewer's session. */
export const ConnectionContext = createContext<Connection>(undefined as never);
