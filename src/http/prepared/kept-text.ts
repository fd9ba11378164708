/** The JSON of an object in an answer. */
export class KeptText {
  constructor(readonly text: string) {}

  /** For writers that do not know this class. They write the same text. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

const holdsTexts = Symbol('holds kept texts');

/** Notes in the data of an answer that they hold kept texts. Writers and readers do not see the note. */
export const noteTexts = (data: unknown): void =>
  void Object.defineProperty(data as object, holdsTexts, { value: true });

/** Tells whether the data of an answer hold kept texts. */
export const hasTexts = (data: object): boolean => holdsTexts in data;
