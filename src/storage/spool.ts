import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Bytes that are kept on disk for a short time, to be read again. They are encrypted under a key that only this process
 * has, and the file has no name: it ends with the process, also after kill -9.
 */
export interface Spool {
  /** Number of bytes so far. */
  readonly size: number;
  /** Adds bytes at the end. */
  write(bytes: Uint8Array): Promise<void>;
  /** Reads all bytes from the start. It may be called again. */
  read(): AsyncIterable<Buffer>;
  /** Gives the disk space back. */
  close(): Promise<void>;
}

/** AES-256 in counter mode: no other process can reach the bytes, so they need no tag. */
const algorithm = 'aes-256-ctr';

/** Makes an empty spool in the system's folder for temporary files. */
export async function createSpool(): Promise<Spool> {
  const path = join(tmpdir(), `riskgraph-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  const [key, start] = [randomBytes(32), randomBytes(16)];
  const cipher = createCipheriv(algorithm, key, start);
  let size = 0;
  return {
    get size() {
      return size;
    },
    async write(bytes) {
      await file.writeFile(cipher.update(bytes));
      size += bytes.length;
    },
    async *read() {
      const decipher = createDecipheriv(algorithm, key, start);
      const stored = file.createReadStream({ start: 0, autoClose: false });
      for await (const chunk of stored) yield decipher.update(chunk as Buffer);
    },
    close: () => file.close(),
  };
}
