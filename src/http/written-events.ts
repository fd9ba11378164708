import { randomUUID } from 'node:crypto';

/**
 * The data of events that were written as JSON already. graphql-ws writes each message itself, in one step. So it gets a
 * stand-in for such data, and the text takes the place of the stand-in when the message is sent.
 */
export interface WrittenEvents {
  keep(data: object, text: string): void;
  /** @returns undefined for data whose text is not kept */
  textOf(data: object | null | undefined): string | undefined;
  /** @returns undefined for data whose text is not kept */
  standIn(data: object | null | undefined): Record<string, unknown> | undefined;
  /** Puts the text into the message that was written last, if that ended with a stand-in. */
  insert(message: string): string;
}

export function createWrittenEvents(): WrittenEvents {
  const texts = new WeakMap<object, string>();
  // No client knows it, so no message of a client's choice ends with it.
  const end = `"${randomUUID()}"}}`;
  let latest: string | undefined;
  const textOf = (data: object | null | undefined): string | undefined => (data ? texts.get(data) : undefined);
  return {
    keep: (data, text) => void texts.set(data, text),
    textOf,
    standIn(data) {
      const text = textOf(data);
      if (text === undefined) return undefined;
      return {
        toJSON() {
          latest = text;
          return end.slice(1, -3);
        },
      };
    },
    insert(message) {
      const text = latest;
      latest = undefined;
      return text !== undefined && message.endsWith(end) ? `${message.slice(0, -end.length)}${text}}}` : message;
    },
  };
}
