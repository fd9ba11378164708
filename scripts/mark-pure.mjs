/** Marks the documents of a generated file as free of side effects: bundlers then drop those that nothing imports. */
import { readFile, writeFile } from 'node:fs/promises';

const [file] = process.argv.slice(2);
const text = await readFile(file, 'utf8');
await writeFile(file, text.replaceAll(/= new TypedDocumentString\(/g, '= /*#__PURE__*/ new TypedDocumentString('));
