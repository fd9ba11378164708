import type { texts } from './en/index.js';

/** Every text of the console. The other languages have exactly the texts of the English catalogue. */
export type Texts = typeof texts;
