/**
 * Finishes a generated file with documents: marks them as free of side effects, so that bundlers drop those that nothing
 * imports, and writes each one without the white space that it does not need.
 */
import { readFile, writeFile } from 'node:fs/promises';

const [file] = process.argv.slice(2);
const text = await readFile(file, 'utf8');
await writeFile(
  file,
  text.replaceAll(
    /= new TypedDocumentString\(`([^`]*)`/g,
    (_, document) => `= /*#__PURE__*/ new TypedDocumentString(\`${document.trim().replaceAll(/\s+/g, ' ')}\``,
  ),
);
