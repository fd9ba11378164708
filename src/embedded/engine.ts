import type { ChildExit } from './child-exit.js';

/** A database engine that runs as a child process of ours. */
export interface Engine {
  /** The address for clients: a `mongodb://` or `redis://` URL. It stays the same after a restart. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<ChildExit>;
  /** Ends the engine cleanly and writes its data to disk. Resolves when the process is gone. */
  stop(): Promise<void>;
}
