import type { Readable } from 'node:stream';

/** A stored file. */
export interface StoredFile {
  readonly name: string;
  readonly storedAt: Date;
}

/** A place that keeps files: a directory, or a bucket of S3. */
export interface FileStore {
  /** Name of the place in messages, without secrets. */
  readonly place: string;
  /** False for a directory that does not exist. A bucket says with each request whether it exists. */
  isThere(): Promise<boolean>;
  /** Stores a file whole or not at all. @throws the error of the content, or one that a person can read */
  put(name: string, content: Readable): Promise<void>;
  /** @throws StartupError when there is no such file */
  get(name: string): Promise<Readable>;
  list(): Promise<readonly StoredFile[]>;
  /** Removing a file that is not there is no error. */
  remove(name: string): Promise<void>;
  /** Removes what a process left behind that died while it stored a file. */
  removeAbandoned(before: Date): Promise<void>;
}
