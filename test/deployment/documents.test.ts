import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { actions, mayRole } from '../../src/auth/permissions.js';
import { apiKeyScopes } from '../../src/identity/api-keys/api-key-service.js';
import { loadConfig } from '../../src/config/config.js';
import { environmentSchema, settings } from '../../src/config/settings.js';
import { ErrorCode } from '../../src/errors.js';
import { waivableChecks } from '../../src/config/production-checks.js';
import { brokenLinks, documents } from '../../scripts/check-links.js';
import { environmentExample, settingsPage, withSettingsList } from '../../scripts/settings-documents.js';

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
  const rows = rowsOf('docs/settings.md').filter(([name]) => /^[A-Z][A-Z0-9_]+$/.test(name!));
  const defaults = Object.entries(environmentSchema.parse({}) as Record<string, unknown>);

  test('has every setting, and no other', () => {
    expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });

  test('has the defaults', () => {
    const shown = (value: unknown): string => (value === undefined || String(value) === '' ? 'none' : String(value));
    const unset = Object.keys(environmentSchema.shape).filter((name) => !defaults.some(([known]) => known === name));
    const expected = [...defaults.map(([name, value]) => [name, shown(value)]), ...unset.map((name) => [name, 'none'])];
    expect(Object.fromEntries(rows.map(([name, fallback]) => [name, fallback]))).toEqual(Object.fromEntries(expected));
  });

  test('has the meaning of each setting', () => {
    expect(rows.filter(([, , meaning]) => !meaning).map(([name]) => name)).toEqual([]);
  });

  test('is generated from the table of settings, and so is the list in docker-compose.yml', () => {
    expect(read('docs/settings.md')).toBe(settingsPage());
    expect(read('.env.example')).toBe(environmentExample());
    expect(read('docker-compose.yml')).toBe(withSettingsList(read('docker-compose.yml')));
  });

  test('.env.example has every setting with its default, which the configuration accepts', () => {
    const set = [...read('.env.example').matchAll(/^# ([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [
      name!,
      value!,
    ]);
    expect(set.map(([name]) => name)).toEqual(settings.map(({ name }) => name));
    expect(loadConfig(Object.fromEntries(set) as Record<string, string>)).toEqual(loadConfig({}));
    expect(
      read('.env.example')
        .split('\n')
        .filter((line) => line.length > 120),
    ).toEqual([]);
  });

  test('names each variable and each place in the configuration once', () => {
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
    expect(new Set(settings.map(({ key }) => key)).size).toBe(settings.length);
  });
});

describe('the table of docs/roles.md', () => {
  const [header, ...rows] = rowsOf('docs/roles.md').filter(
    ([, action]) => action === 'action' || (actions as readonly string[]).includes(action!),
  );

  test('has every action, and the roles that may do it', () => {
    const roles = header!.slice(2) as Role[];
    expect([...roles].sort()).toEqual(Object.values(Role).sort());
    const shown = Object.fromEntries(
      rows.map(([, action, ...cells]) => [action, roles.filter((_role, index) => cells[index] === 'yes')]),
    );
    expect(shown).toEqual(
      Object.fromEntries(actions.map((action) => [action, roles.filter((role) => mayRole(role, action))])),
    );
  });

  test('has the scopes of API keys in the column of SERVICE, except those that the text excludes', () => {
    const excluded = ['password:change', 'session:end'];
    expect(actions.filter((action) => mayRole(Role.SERVICE, action) && !excluded.includes(action))).toEqual(
      apiKeyScopes,
    );
    for (const page of ['docs/roles.md', 'docs/api.md']) {
      expect(read(page).replaceAll('\n', ' ')).toContain('without `password:change` and `session:end`');
    }
  });
});

describe('the README', () => {
  test('has at most 10 KiB', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(10_240);
  });

  test('links to every page of docs/', () => {
    const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));
    expect(pages.filter((name) => !read('README.md').includes(`(docs/${name})`))).toEqual([]);
  });

  test('names the versions of Node.js that the package accepts', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const [, oldest] = /^>=(\d+\.\d+)/.exec(engines.node)!;
    expect(/any from (\S+) to 26 will do/.exec(read('README.md'))?.[1]).toBe(oldest);
  });

  test('calls the program by the name in the package', () => {
    const { description } = JSON.parse(read('package.json')) as { description: string };
    const [subject] = description.split(':');
    expect(read('README.md').split('\n\n')[1]!.toLowerCase()).toContain(subject!.toLowerCase());
  });
});

describe('the table of docs/commands.md', () => {
  /** The first word of each command, e.g. `user` of "`user create\\|disable`". */
  const documented = rowsOf('docs/commands.md').flatMap(([cell]) =>
    [...cell!.replaceAll('`', '').split(', ')].map((command) => command.split(' ')[0]!),
  );

  test('has every command of the command line, and no other', () => {
    const known = [...read('src/cli.ts').matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(([, name]) => name!);
    expect(known.length).toBeGreaterThan(5);
    expect([...new Set(documented.filter((name) => name !== 'command'))].sort()).toEqual(known.sort());
  });
});

test('the table of rooms in docs/architecture.md has the order that the arrows check, line by line', () => {
  const order = /^const order = \[(.*?)^\];/ms.exec(read('.dependency-cruiser.cjs'))![1]!;
  const lines = [...order.matchAll(/\[([^\]]+)\]/g)].map(([, rooms]) =>
    [...rooms!.matchAll(/'([^']+)'/g)].map(([, room]) => room!).sort(),
  );
  const table = read('docs/architecture.md')
    .split('\n## ')
    .find((section) => section.startsWith('The rooms'))!
    .split('\nOutside of')[0]!;
  const named = table
    .split('\n')
    .filter((row) => row.startsWith('| `'))
    .flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+?)\/?`/g)].map(([, room]) => room!));
  const asLines = lines.map(({ length }) => named.splice(0, length).sort());
  expect(named).toEqual([]);
  expect(asLines).toEqual(lines);
});

test('every error code is explained to callers', () => {
  const explained = rowsOf('docs/api.md').map(([code]) => code);
  expect(Object.values(ErrorCode).filter((code) => !explained.includes(code))).toEqual([]);
});

test('every check of a production start is explained under the name that waives it', () => {
  const explained = rowsOf('docs/operations.md').map(([name]) => name);
  expect(waivableChecks.filter((name) => !explained.includes(name))).toEqual([]);
});

test.each(documents)('the links of %s lead to files and headings that exist', (document) => {
  expect(brokenLinks(document)).toEqual([]);
});

test.each(documents.filter((document) => document !== 'CHANGELOG.md'))('the files that %s names exist', (document) => {
  const paths = [
    ...read(document).matchAll(/`((?:src|schema|models|workers|test|scripts|bench|ops|training)\/[\w./-]+)`/g),
  ];
  expect(paths.map(([, path]) => path!).filter((path) => !existsSync(path))).toEqual([]);
});
