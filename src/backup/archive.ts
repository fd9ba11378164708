/*
 * The file of a backup: a tar archive, compressed with gzip, encrypted in the age format. All three have tools of their
 * own, so that a backup can be opened without RiskGraph: age -d -i key.txt FILE | tar -xz
 *
 * age encrypts to a public key. The machine that makes backups need not hold the key that opens them. Each piece of 64 KiB
 * is authenticated, with its place and a mark of the last one: https://age-encryption.org/v1
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip, createGzip } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { StartupError } from '../errors.js';

/** One file within an archive. All of it is in memory, so it has some megabytes at most. */
export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Compression of zlib, 1 to 9. Predictions are mostly random bits: a higher one costs time, and saves little. */
const compression = 3;

/**
 * Packs entries into an archive while they are made.
 * @param recipients public keys, `age1...`. Each of their private keys opens the archive
 * @throws StartupError for a text that is no public key. Errors of the entries break off the stream
 */
export async function packArchive(
  entries: AsyncIterable<ArchiveEntry>,
  recipients: readonly string[],
): Promise<Readable> {
  const encrypter = encrypterTo(recipients);
  const { readable, controller } = createTarPacker();
  void (async () => {
    try {
      for await (const { name, bytes } of entries) {
        const writer = controller.add({ name, size: bytes.length, mode: 0o600 }).getWriter();
        await writer.write(bytes);
        await writer.close();
      }
      controller.finalize();
    } catch (error) {
      controller.error(error);
    }
  })();
  const gzip = createGzip({ level: compression });
  // The error destroys the compressor, and the reader of the archive gets it from there.
  pipeline(fromWeb(readable), gzip).catch(() => undefined);
  const archive = fromWeb(await encrypter.encrypt(toWeb(gzip)));
  // It may fail before its reader begins. The reader gets the error all the same.
  archive.on('error', () => undefined);
  return archive;
}

/**
 * Reads the entries of an archive. Every piece is authenticated before it is given out, and the end of the generator
 * means that the archive is whole.
 * @param identity the private key, `AGE-SECRET-KEY-1...`
 * @param name of the archive, for messages
 * @throws StartupError for another key, and for an archive that was changed or cut; the error of the source
 */
export async function* unpackArchive(source: Readable, identity: string, name: string): AsyncGenerator<ArchiveEntry> {
  let sourceError: unknown;
  source.on('error', (error) => (sourceError = error));
  const decrypter = new Decrypter();
  addIdentity(decrypter, identity);
  const gunzip = createGunzip();
  try {
    const decrypted = fromWeb(await decrypter.decrypt(toWeb(source)));
    const { readable, writable } = createTarDecoder({ strict: true });
    // The tar archive ends before its file does. Only with the end of the file is its last piece authenticated.
    const whole = Promise.all([pipeline(decrypted, gunzip), toWeb(gunzip).pipeTo(writable)]);
    whole.catch(() => undefined);
    for await (const { header, body } of readable) {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      yield { name: header.name, bytes: Buffer.concat(pieces) };
    }
    await whole;
  } catch (error) {
    throw sourceError ?? archiveError(error, name);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function archiveError(error: unknown, name: string): Error {
  if (error instanceof Error && error.message.includes('no identity matched'))
    return new StartupError(
      `${name} cannot be decrypted with this key: give the private key of one of its recipients.`,
    );
  return new StartupError(
    `${name} is damaged: it is no backup, was cut off, or was changed after it was written. Use another backup.`,
    { cause: error },
  );
}

/**
 * Makes what encrypts to public keys.
 * @throws StartupError for none, or for a text that is no public key: each has a checksum
 */
export function encrypterTo(recipients: readonly string[]): Encrypter {
  if (recipients.length === 0)
    throw new StartupError(
      'BACKUP_RECIPIENTS is not set: name the public key that backups are encrypted to; "riskgraph backup key" makes one.',
    );
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch {
    throw new StartupError(
      'BACKUP_RECIPIENTS must be public keys of age, e.g. age1...: "riskgraph backup key" makes one, with its private key.',
    );
  }
  return encrypter;
}

/** @throws StartupError for a text that is no private key */
export const requireIdentity = (identity: string): void => addIdentity(new Decrypter(), identity);

function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch {
    throw new StartupError('The private key of the backup is not one of age: it begins with AGE-SECRET-KEY-1.');
  }
}

const fromWeb = (stream: unknown): Readable => Readable.fromWeb(stream as ReadableStream<Uint8Array>);

// Node.js declares its own streams apart from those of the web. They are the same objects.
const toWeb = (stream: Readable): globalThis.ReadableStream<Uint8Array<ArrayBuffer>> =>
  Readable.toWeb(stream) as unknown as globalThis.ReadableStream<Uint8Array<ArrayBuffer>>;
