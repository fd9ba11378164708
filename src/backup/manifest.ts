import { z } from 'zod';
import { StartupError } from '../errors.js';

/** The version of the archive's layout. */
const format = 1;

const time = z.iso.datetime().transform((text) => new Date(text));
const count = z.number().int().min(0);

/** The first entry of an archive, `backup.json`. */
const headerSchema = z.object({
  format: z.literal(format),
  name: z.string(),
  begunAt: time,
  /** Version of RiskGraph. */
  release: z.string(),
  /** Version of the stored data: see src/storage/data-version.ts. */
  dataVersion: count,
  /** Ids of the master keys under which the data keys are wrapped. The keys themselves are in no backup. */
  masterKeys: z.array(z.string()),
});
export type BackupHeader = z.output<typeof headerSchema>;

/** One reading of a collection, as it is in the archive. */
const contentSchema = z.object({
  folder: z.string(),
  documents: count,
  bytes: count,
  /** Hash of the documents in BSON, one after the other. Lower-case hex. */
  sha256: z.string(),
});
export type CollectionContent = z.output<typeof contentSchema>;

/** The last entry of an archive, `manifest.json`. An archive without it was not finished. */
const manifestSchema = z.object({ format: z.literal(format), endedAt: time, collections: z.array(contentSchema) });
export type BackupManifest = z.output<typeof manifestSchema>;

/**
 * The file beside an archive, `NAME.json`. It is not encrypted, holds counts only, and is written after the archive. The
 * archive can be restored without it.
 */
const summarySchema = z.object({
  format: z.literal(format),
  name: z.string(),
  begunAt: time,
  endedAt: time,
  release: z.string(),
  dataVersion: count,
  bytes: count,
  /** Hash of the archive, for `sha256sum`: no command compares it. Lower-case hex. */
  sha256: z.string(),
  documents: count,
  /** Time when a drill has restored the backup. */
  restoredAt: time.optional(),
  /** Duration of that restore. */
  restoreSeconds: z.number().optional(),
});
export type BackupSummary = z.output<typeof summarySchema>;

export const headerFile = 'backup.json';
export const manifestFile = 'manifest.json';
/** The folder of the documents in an archive. */
export const documentsFolder = 'collections/';

/** Documents as JSON. The format is added. */
export const toJson = (content: Omit<BackupHeader | BackupManifest | BackupSummary, 'format'>): Buffer =>
  Buffer.from(`${JSON.stringify({ format, ...content }, null, 2)}\n`);

export const parseHeader = parser(headerSchema);
export const parseManifest = parser(manifestSchema);
export const parseSummary = parser(summarySchema);

/** @throws StartupError for a text of another form, as of a later release */
function parser<T>(schema: z.ZodType<T>): (text: string, name: string) => T {
  return (text, name) => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new StartupError(
        `${name} is no backup that this release of RiskGraph can read: use the release that made it, or another backup.`,
      );
    }
  };
}
