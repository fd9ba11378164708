import type { DocumentNode } from 'graphql';

/** The documents that running subscriptions keep, by user, organization or process. A shared document counts once. */
interface HeldDocuments {
  /** Tells whether a document fits, or is kept already. */
  hasRoom(name: string, document: DocumentNode): boolean;
  add(name: string, document: DocumentNode): void;
  /** Takes back one `add`. */
  remove(name: string, document: DocumentNode): void;
}

/** @param most characters of the texts of all documents of one name */
export function createHeldDocuments(most: number): HeldDocuments {
  const holdings = new Map<string, { characters: number; readonly uses: Map<DocumentNode, number> }>();
  return {
    hasRoom(name, document) {
      const held = holdings.get(name);
      return !held || held.uses.has(document) || held.characters + charactersOf(document) <= most;
    },
    add(name, document) {
      const held = holdings.get(name) ?? { characters: 0, uses: new Map<DocumentNode, number>() };
      holdings.set(name, held);
      const uses = held.uses.get(document) ?? 0;
      if (uses === 0) held.characters += charactersOf(document);
      held.uses.set(document, uses + 1);
    },
    remove(name, document) {
      const held = holdings.get(name)!;
      const uses = held.uses.get(document)! - 1;
      if (uses > 0) return void held.uses.set(document, uses);
      held.uses.delete(document);
      held.characters -= charactersOf(document);
      if (held.uses.size === 0) holdings.delete(name);
    },
  };
}

const charactersOf = ({ loc }: DocumentNode): number => loc?.end ?? 0;
