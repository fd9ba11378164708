import { createHash, type Hash } from 'node:crypto';
import { StartupError } from '../errors.js';
import type { ArchiveEntry } from './archive.js';
import {
  documentsFolder,
  headerFile,
  manifestFile,
  parseHeader,
  parseManifest,
  type BackupHeader,
  type BackupManifest,
} from './manifest.js';

/** The content of an archive that was read to its end. */
export interface ExaminedArchive {
  readonly header: BackupHeader;
  readonly manifest: BackupManifest;
  readonly documents: number;
}

/** Gets each file of documents of an archive, in the order of the archive. */
type OnDocuments = (folder: string, documents: readonly Uint8Array[], header: BackupHeader) => Promise<void>;

/** The counts of one folder, up to the file that is read. */
interface Counted {
  readonly hash: Hash;
  documents: number;
  bytes: number;
}

/**
 * Reads an archive to its end, and compares it with its manifest.
 * @param onDocuments gets the documents of each file, before it is known that the archive is whole
 * @throws StartupError for an archive that is not finished, or that differs from its manifest
 */
export async function examineArchive(
  entries: AsyncIterable<ArchiveEntry>,
  name: string,
  onDocuments: OnDocuments = async () => undefined,
): Promise<ExaminedArchive> {
  let header: BackupHeader | undefined;
  let manifest: BackupManifest | undefined;
  const counted = new Map<string, Counted>();
  for await (const { name: file, bytes } of entries) {
    if (!header) {
      if (file !== headerFile) throw incomplete(name);
      header = parseHeader(text(bytes), name);
    } else if (file === manifestFile) {
      manifest = parseManifest(text(bytes), name);
    } else if (file.startsWith(documentsFolder)) {
      const [folder] = file.slice(documentsFolder.length).split('/') as [string];
      const documents = splitDocuments(bytes);
      if (!documents) throw incomplete(name);
      const of = counted.get(folder) ?? { hash: createHash('sha256'), documents: 0, bytes: 0 };
      counted.set(folder, of);
      of.hash.update(bytes);
      of.documents += documents.length;
      of.bytes += bytes.length;
      await onDocuments(folder, documents, header);
    }
  }
  if (!header || !manifest) throw incomplete(name);
  let documents = 0;
  const expected = manifest.collections.filter((content) => content.documents > 0);
  for (const content of expected) {
    const found = counted.get(content.folder);
    if (
      found?.documents !== content.documents ||
      found.bytes !== content.bytes ||
      found.hash.digest('hex') !== content.sha256
    )
      throw incomplete(name);
    documents += content.documents;
  }
  if (counted.size !== expected.length) throw incomplete(name);
  return { header, manifest, documents };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/**
 * Splits documents that follow each other. Each begins with its length: https://bsonspec.org/spec.html
 * @returns undefined when the bytes are no documents
 */
function splitDocuments(bytes: Uint8Array): Uint8Array[] | undefined {
  const documents: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shortest = 5;
  for (let start = 0; start < bytes.length;) {
    const length = start + shortest > bytes.length ? 0 : view.getInt32(start, true);
    if (length < shortest || start + length > bytes.length) return undefined;
    documents.push(bytes.subarray(start, start + length));
    start += length;
  }
  return documents;
}

const incomplete = (name: string): StartupError =>
  new StartupError(`${name} is not complete, or differs from its manifest: use another backup.`);
