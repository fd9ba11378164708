import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { BadUserInputError, StartupError } from '../errors.js';

/** The allow-list: the only documents that may run, by the SHA-256 of their text in hexadecimal. */
export type PersistedQueries = ReadonlyMap<string, string>;

/** The part of a request that names its document, over HTTP and WebSocket alike. */
export interface DocumentRequest {
  readonly query?: string | null;
  /**
   * `{ persistedQuery: { version: 1, sha256Hash } }`, as Apollo's clients send it.
   * https://www.apollographql.com/docs/apollo-server/performance/apq
   */
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

const fileSchema = z.record(z.string(), z.string());

/**
 * Reads the allow-list, and adds the documents of the console, so that it runs on every installation.
 * @param file path of PERSISTED_QUERIES_FILE. Undefined: every document may run, and there is no list
 * @param ofConsole path of the console's list. Undefined when it was not built
 * @throws StartupError when the file cannot be read, or a name is not the SHA-256 of its document
 */
export async function allowList(
  file: string | undefined,
  ofConsole: string | undefined,
): Promise<PersistedQueries | undefined> {
  if (file === undefined) return undefined;
  const own = ofConsole === undefined ? [] : await readPersistedQueries(ofConsole);
  return new Map([...own, ...(await readPersistedQueries(file))]);
}

/**
 * Reads a list of documents: a JSON object of documents by their SHA-256, as the client preset of @graphql-codegen writes
 * it with `persistedDocuments: { hashAlgorithm: 'sha256' }`.
 * @throws StartupError when the file cannot be read, or a name is not the SHA-256 of its document
 */
export async function readPersistedQueries(path: string): Promise<PersistedQueries> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(
      `PERSISTED_QUERIES_FILE cannot be read (${error.code}): name the JSON file of your persisted queries.`,
    );
  });
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new StartupError(
      'PERSISTED_QUERIES_FILE is not a JSON object of documents by their SHA-256: write it with the client preset of ' +
        '@graphql-codegen.',
    );
  const documents = Object.entries(parsed.data).map(([name, document]) => [withoutPrefix(name), document] as const);
  for (const [hash, document] of documents) {
    if (sha256(document) !== hash) {
      throw new StartupError(
        `PERSISTED_QUERIES_FILE names a document "${hash.slice(0, 64)}", which is not its SHA-256: write the file ` +
          `with persistedDocuments: { hashAlgorithm: 'sha256' }.`,
      );
    }
  }
  return new Map(documents);
}

/**
 * Returns the text of the document that a request wants.
 * @param list undefined: every document may run
 * @returns undefined when the request names no document; the caller refuses it
 * @throws BadUserInputError for a document that is not on the list
 */
export function documentText(
  { query, extensions }: DocumentRequest,
  list: PersistedQueries | undefined,
): string | undefined {
  if (!list) return query || undefined;
  const hash = persistedHash(extensions);
  const wanted = hash ?? (query ? sha256(query) : undefined);
  if (wanted === undefined) return undefined;
  const text = list.get(wanted);
  if (text === undefined)
    throw refused('is not on the allow-list: add the document to PERSISTED_QUERIES_FILE, or send one that is in it');
  if (query && query !== text)
    throw refused('is not the document of extensions.persistedQuery.sha256Hash: send only one of the two');
  return text;
}

const refused = (message: string): BadUserInputError => new BadUserInputError([{ path: 'query', message }]);

function persistedHash(extensions: DocumentRequest['extensions']): string | undefined {
  const hash = (extensions?.persistedQuery as { sha256Hash?: unknown } | null | undefined)?.sha256Hash;
  return typeof hash === 'string' ? withoutPrefix(hash) : undefined;
}

/**
 * Removes `sha256:`, which the client preset writes before a hash, as document identifiers of GraphQL over HTTP have
 * it. Apollo does not write it.
 */
const withoutPrefix = (hash: string): string => hash.replace(/^sha256:/, '');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
