import { createHash } from 'node:crypto';
import type { DocumentNode } from 'graphql';

/** Documents that were parsed and found valid lately; the one used longest ago goes first. */
export interface RecentDocuments {
  add(text: string, document: DocumentNode): void;
  byText(text: string): DocumentNode | undefined;
  /** @param hash SHA-256 of the text, hexadecimal */
  byHash(hash: string): DocumentNode | undefined;
}

/** @param capacity characters of text in all; a document that would fill more than a quarter of it is not kept */
export function createRecentDocuments(capacity: number): RecentDocuments {
  // A Map keeps the order of insertion, so that the first is the one used longest ago.
  const documents = new Map<string, { readonly document: DocumentNode; readonly hash: string }>();
  const byHash = new Map<string, DocumentNode>();
  let characters = 0;

  const drop = (text: string, hash: string): void => {
    documents.delete(text);
    byHash.delete(hash);
    characters -= text.length;
  };
  return {
    add(text, document) {
      if (text.length > capacity / 4 || documents.has(text)) return;
      const hash = createHash('sha256').update(text).digest('hex');
      documents.set(text, { document, hash });
      byHash.set(hash, document);
      characters += text.length;
      for (const [oldest, { hash: oldestHash }] of documents) {
        if (characters <= capacity) break;
        drop(oldest, oldestHash);
      }
    },
    byText(text) {
      const found = documents.get(text);
      if (!found) return undefined;
      documents.delete(text);
      documents.set(text, found);
      return found.document;
    },
    byHash: (hash) => byHash.get(hash),
  };
}
