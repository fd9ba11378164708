/*
 * The bundles that operators add to a running deployment, in MongoDB.
 *
 * How a version is added:
 * 1. The files are cut into chunks, which are written one after the other. The key of a chunk is the hash of its file.
 * 2. All chunks are read again, and the hash of each file is compared.
 * 3. The version is written, as one document. From here on it exists.
 *
 * A process that dies before step 3 leaves chunks that no version names. They are harmless: adding the version again
 * writes them again, and `prune` removes them after a day.
 */
import type { Models, StoredModelFile, StoredModelVersion } from '../../models/index.js';
import { bundleHash, sha256, type BundleFiles } from '../risk/bundle/bundle-files.js';
import { InvalidModelError } from '../risk/errors.js';
import { versionName } from '../risk/model-name.js';
import { bytesOf, toBinary } from '../storage/binary.js';
import { isDuplicateKey } from '../storage/database.js';

/** Size of a chunk, far below the 16 MB of a document. One is in memory at a time, besides the bundle itself. */
const chunkBytes = 2 * 1024 * 1024;

/** Age from which a chunk must have a version: far longer than adding one takes. Milliseconds. */
const additionMs = 86_400_000;

/** Size limit of a stored bundle, over all its files: 192 MB. Processes hold one bundle at a time in memory. */
const largestBundle = 192 * 1024 * 1024;

/** The versions that were added, and their files. */
export interface BundleStore {
  /** All versions, retired ones too, without their files. */
  versions(): Promise<StoredModelVersion[]>;
  /**
   * Reads the files of a version.
   * @throws InvalidModelError when a file is missing or damaged
   */
  read(version: StoredModelVersion): Promise<BundleFiles>;
  /** Reads one file of a version. @throws InvalidModelError when it is missing or damaged */
  readFile(version: StoredModelVersion, name: string): Promise<Uint8Array>;
  /**
   * Stores a bundle whole, or not at all. Stored files are written again, so that damaged ones are mended. A retired
   * version is offered again.
   * @returns the version as it was before; null when it is new
   * @throws InvalidModelError when the version exists with other files, or the bundle is too large
   */
  add(id: string, version: string, files: BundleFiles): Promise<StoredModelVersion | null>;
  /** Stops offering a version for new jobs. @returns false when it was retired before, or does not exist */
  retire(name: string): Promise<boolean>;
  /** Makes a version the default of its model. @returns false when it is retired, or does not exist */
  choose(name: string): Promise<boolean>;
}

export function createBundleStore({ modelVersions, modelChunks }: Models): BundleStore {
  const versions = modelVersions.collection;
  const chunks = modelChunks.collection;

  async function writeFile(file: StoredModelFile, bytes: Uint8Array): Promise<void> {
    for (let number = 0; number < chunkCount(file); number++) {
      const piece = bytes.subarray(number * chunkBytes, (number + 1) * chunkBytes);
      await chunks.replaceOne(
        { _id: chunkId(file, number) as never },
        { sha256: file.sha256, bytes: toBinary(piece), storedAt: new Date() },
        { upsert: true },
      );
    }
  }

  async function readFile({ _id }: Pick<StoredModelVersion, '_id'>, file: StoredModelFile): Promise<Uint8Array> {
    const bytes = new Uint8Array(file.size);
    let size = 0;
    for (let number = 0; number < chunkCount(file); number++) {
      const piece = bytesOf((await chunks.findOne({ _id: chunkId(file, number) as never }))?.bytes);
      if (size + piece.length <= file.size) bytes.set(piece, size);
      size += piece.length;
    }
    if (size !== file.size || sha256(bytes) !== file.sha256)
      throw new InvalidModelError(
        `risk model ${_id}`,
        `its stored ${file.name} is damaged or not whole`,
        'add the same bundle again with "riskgraph model add"',
      );
    return bytes;
  }

  return {
    versions: () => modelVersions.find().sort({ _id: 1 }).lean<StoredModelVersion[]>(),

    async read(version) {
      const files = new Map<string, Uint8Array>();
      for (const file of version.files) files.set(file.name, await readFile(version, file));
      return files;
    },

    async readFile(version, name) {
      const file = version.files.find((stored) => stored.name === name);
      if (!file) throw new InvalidModelError(`risk model ${version._id}`, `it has no ${name}`, 'add it again');
      return readFile(version, file);
    },

    async add(id, version, bundle) {
      const now = new Date();
      const name = versionName(id, version);
      const files = [...bundle].map(([file, bytes]) => ({ name: file, sha256: sha256(bytes), size: bytes.length }));
      const added: StoredModelVersion = {
        _id: name,
        modelId: id,
        version,
        hash: bundleHash(bundle),
        files,
        addedAt: now,
        storedAt: now,
      };
      const size = files.reduce((total, file) => total + file.size, 0);
      if (size > largestBundle)
        throw new InvalidModelError(
          `risk model ${name}`,
          `its bundle has ${size} bytes, and the limit is ${largestBundle}`,
          'make it smaller',
        );
      const before = await modelVersions.findById(name).lean<StoredModelVersion>();
      requireSameHash(before, added);
      for (const file of files) await writeFile(file, bundle.get(file.name)!);
      for (const file of files) await readFile(added, file);
      try {
        if (!before) await versions.insertOne(added as never);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        requireSameHash(await modelVersions.findById(name).lean<StoredModelVersion>(), added);
      }
      if (before)
        await versions.updateOne({ _id: name as never }, { $set: { storedAt: now }, $unset: { retiredAt: '' } });
      return before;
    },

    async retire(name) {
      const { modifiedCount } = await versions.updateOne(
        { _id: name as never, retiredAt: { $exists: false } },
        { $currentDate: { retiredAt: true }, $unset: { chosenAt: '' } },
      );
      return modifiedCount > 0;
    },

    async choose(name) {
      // The time is the server's, so that the order does not depend on the clocks of the operators' machines.
      const { matchedCount } = await versions.updateOne(
        { _id: name as never, retiredAt: { $exists: false } },
        { $currentDate: { chosenAt: true } },
      );
      return matchedCount > 0;
    },
  };
}

/**
 * Removes chunks that no version names, a day after they were written.
 * @returns the number of chunks that were removed
 */
export async function pruneModelChunks({ modelVersions, modelChunks }: Models, now = new Date()): Promise<number> {
  const named = (await modelVersions.distinct('files.sha256')) as string[];
  const { deletedCount } = await modelChunks.deleteMany({
    sha256: { $nin: named },
    storedAt: { $lt: new Date(now.getTime() - additionMs) },
  });
  return deletedCount;
}

const chunkId = ({ sha256: hash }: StoredModelFile, number: number): string => `${hash}:${number}`;
const chunkCount = ({ size }: StoredModelFile): number => Math.ceil(size / chunkBytes);

function requireSameHash(stored: StoredModelVersion | null, added: StoredModelVersion): void {
  if (stored && stored.hash !== added.hash)
    throw new InvalidModelError(
      `risk model ${added._id}`,
      'this version was added before with other files',
      'raise the version in its manifest.json: the files of a version never change',
    );
}
