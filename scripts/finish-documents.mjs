/**
 * Finishes a generated file with documents: marks them as free of side effects, so that bundlers drop those that nothing
 * imports, and writes each one without the white space that it does not need. For the console it also writes the list of
 * its documents by their SHA-256, which the server adds to an allow-list.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const [file] = process.argv.slice(2);
const text = await readFile(file, 'utf8');
const documents = [];
await writeFile(
  file,
  text.replaceAll(/= new TypedDocumentString\(`([^`]*)`/g, (_, document) => {
    const short = document.trim().replaceAll(/\s+/g, ' ');
    documents.push(short);
    return `= /*#__PURE__*/ new TypedDocumentString(\`${short}\``;
  }),
);
if (/(?:^|[\\/])web[\\/]generated[\\/]graphql\.ts$/.test(file)) {
  const operations = documents.filter((document) => /^(?:query|mutation|subscription)\b/.test(document)).sort();
  const list = operations.map((document) => [createHash('sha256').update(document).digest('hex'), document]);
  await writeFile(join(dirname(file), 'persisted.json'), `${JSON.stringify(Object.fromEntries(list), null, 2)}\n`);
}
