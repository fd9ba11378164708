import type { z } from 'zod';

/** One setting: an environment variable, the value it gives, and its row in docs/settings.md. */
export interface Setting {
  /** Environment variable. */
  readonly name: string;
  /** Place in `Config`. A dot puts it into a part: `queryLimits.depth`. */
  readonly key: string;
  /** Reads the text of the variable. It has the default, and accepts an unset variable. */
  readonly schema: z.ZodType;
  /** Meaning for operators, in Markdown. Links start from docs/. */
  readonly description: string;
  /**
   * The value is a secret or may hold one. `NAME_FILE` may name a file that holds it.
   * @defaultValue false
   */
  readonly secret?: true;
  /**
   * The file of the secret may have lines that begin with #, as age-keygen writes them. They are no part of the secret.
   * @defaultValue false
   */
  readonly comments?: true;
}

/** Settings that belong together in the documents. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}
