/**
 * Finds links between the documents of this repository that lead nowhere: `npm run links`. It reads no page of the
 * Internet.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The documents that people read, as paths from the top folder. */
export const documents: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'training/README.md',
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

/** Makes the anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/**
 * Gives the links of a document that lead to no file or no heading.
 * @param document path from the top folder
 */
export function brokenLinks(document: string): string[] {
  const read = (path: string): string => readFileSync(path, 'utf8');
  const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link));
  return links.filter((link) => {
    const [path, anchor] = link.split('#') as [string, string | undefined];
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(target)) return true;
    const headings =
      anchor === undefined ? [] : [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
    return anchor !== undefined && !headings.includes(anchor);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const broken = documents.flatMap((document) => brokenLinks(document).map((link) => `${document}: ${link}`));
  for (const line of broken) process.stderr.write(`broken link in ${line}\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
