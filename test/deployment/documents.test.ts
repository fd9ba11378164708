import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { actions, mayRole } from '../../src/auth/permissions.js';
import { apiKeyScopes } from '../../src/identity/api-keys/api-key-service.js';
import { environmentSchema, settings } from '../../src/config/settings.js';
import { errorCodes } from '../../src/errors.js';
import { waivableChecks } from '../../src/config/production-checks.js';
import { settingsPage, withSettingsList } from '../../scripts/settings-documents.js';

const read = (path: string): string => readFileSync(path, 'utf8');
/** Cells of the rows of all tables of a document, without the backticks around a word. */
const rowsOf = (path: string): string[][] =>
  read(path)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
    );

describe('docs/settings.md', () => {
  const rows = rowsOf('docs/settings.md').filter(([name]) => /^[A-Z][A-Z_]+$/.test(name!));
  const defaults = Object.entries(environmentSchema.parse({}) as Record<string, unknown>);

  test('has every setting, and no other', () => {
    expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });

  test('tells the defaults', () => {
    const shown = (value: unknown): string => (value === undefined || String(value) === '' ? 'none' : String(value));
    const unset = Object.keys(environmentSchema.shape).filter((name) => !defaults.some(([known]) => known === name));
    const expected = [...defaults.map(([name, value]) => [name, shown(value)]), ...unset.map((name) => [name, 'none'])];
    expect(Object.fromEntries(rows.map(([name, fallback]) => [name, fallback]))).toEqual(Object.fromEntries(expected));
  });

  test('tells the meaning of each', () => {
    expect(rows.filter(([, , meaning]) => !meaning).map(([name]) => name)).toEqual([]);
  });

  test('is the one that the table of settings gives, and so is the list in docker-compose.yml', () => {
    expect(read('docs/settings.md')).toBe(settingsPage());
    expect(read('docker-compose.yml')).toBe(withSettingsList(read('docker-compose.yml')));
  });

  test('names each variable and each place in the configuration once', () => {
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
    expect(new Set(settings.map(({ key }) => key)).size).toBe(settings.length);
  });
});

describe('the table of roles in the README', () => {
  const [header, ...rows] = rowsOf('README.md').filter(
    ([, action]) => action === 'action' || (actions as readonly string[]).includes(action!),
  );

  test('has every action, and who may do it', () => {
    const roles = header!.slice(2) as Role[];
    expect([...roles].sort()).toEqual(Object.values(Role).sort());
    const shown = Object.fromEntries(
      rows.map(([, action, ...cells]) => [action, roles.filter((_role, index) => cells[index] === 'yes')]),
    );
    expect(shown).toEqual(
      Object.fromEntries(actions.map((action) => [action, roles.filter((role) => mayRole(role, action))])),
    );
  });

  test('has the scopes of API keys in the column of SERVICE, but for the one that docs/api.md takes out', () => {
    expect(actions.filter((action) => mayRole(Role.SERVICE, action) && action !== 'password:change')).toEqual(
      apiKeyScopes,
    );
    expect(read('docs/api.md').replaceAll('\n', ' ')).toContain('without `password:change`');
  });
});

test('every error code is explained to callers', () => {
  const explained = rowsOf('docs/api.md').map(([code]) => code);
  expect(errorCodes.filter((code) => !explained.includes(code))).toEqual([]);
});

test('every check of a production start is explained under the name that waives it', () => {
  const explained = rowsOf('docs/operations.md').map(([name]) => name);
  expect(waivableChecks.filter((name) => !explained.includes(name))).toEqual([]);
});

const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test.each(documents)('the links of %s lead somewhere', (document) => {
  const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link));
  const broken = links.filter((link) => {
    const [path, anchor] = link.split('#') as [string, string | undefined];
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(target)) return true;
    const headings =
      anchor === undefined ? [] : [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
    return anchor !== undefined && !headings.includes(anchor);
  });
  expect(broken).toEqual([]);
});
