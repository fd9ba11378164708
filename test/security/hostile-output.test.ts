/** Covers src/commands/print.ts, src/commands/score.ts, src/process/visible-text.ts. */
// Threat: a name, an MRN or a message carries terminal escapes or a formula, which the command line gives to an operator.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { escapeInvisible, hasInvisible, visibleText } from '../../src/process/visible-text.js';
import { goldenFeatures } from '../support/heart-disease.js';
import { runCommand, type Outcome } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem();

const riskgraph = async (...argumentsGiven: readonly string[]): Promise<Outcome> =>
  runCommand(argumentsGiven, {
    ...settingsFor(system.app.config),
    RISKGRAPH_TOKEN: await system.token('CLINICIAN'),
  });

// Shows: owasp/unicode
test('a username with terminal escapes, line breaks or marks of direction is listed on one line, escaped', async () => {
  const organization = new Types.ObjectId(await system.organizationId('mercy'));
  await system.app.models.users.collection.insertOne({
    organization,
    username: 'eve\u001b[2K\u001b[1A\r\nroot\u202e\u200b\u009b31m\u2028',
    role: 'ADMIN',
    createdAt: new Date(),
  });
  const { code, output } = await riskgraph('user', 'list', '--org', 'mercy');
  expect(code).toBe(0);
  expect(output).toBe(
    'eve\\u{1b}[2K\\u{1b}[1A\\u{d}\\u{a}root\\u{202e}\\u{200b}\\u{9b}31m\\u{2028} ADMIN      enabled  (no password)\n',
  );
});

// Shows: owasp/unicode
test('an error names what was typed, escaped', async () => {
  const { code, errors } = await riskgraph('user', 'list', '--org', 'none\u001b[2Jof these');
  expect(code).toBe(1);
  expect(errors).toContain('none\\u{1b}[2Jof these');
  expect(hasInvisible(errors.trimEnd())).toBe(false);
});

// Shows: owasp/injection
test('a file of results is for its owner only, and holds no formula', async () => {
  const folder = await temporaryDirectory();
  const [cohort, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  const features = goldenFeatures(0);
  const cells = features.map(({ value }) => value).join();
  const names = ['"=HYPERLINK(""http://evil"")"', '+1', '-1+1', '@SUM(1)'];
  await writeFile(
    cohort,
    [`mrn,${features.map(({ code }) => code).join()}`, ...names.map((mrn) => `${mrn},${cells}`)].join('\n'),
  );
  await writeFile(out, 'an earlier file', { mode: 0o644 });
  const { code, errors } = await riskgraph('score', cohort, '--out', out, '--url', system.url);
  expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
  expect(((await stat(out)).mode & 0o777).toString(8)).toBe('600');
  const lines = (await readFile(out, 'utf8')).trim().split('\n').slice(1);
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(line).toMatch(/^"?'[=+@-]/);
  // Numbers are no formulas, and stay numbers.
  expect(lines[0]).toMatch(/,-?0\.\d+/);
  expect(lines.join('\n')).not.toMatch(/,'-\d/);
});

test.each<[string, string, string]>([
  ['zero-width characters', 'a\u200bb\u2060c', 'abc'],
  ['marks of direction', '\u202eabc\u2066', 'abc'],
  ['a soft hyphen', 'a\u00adb', 'ab'],
  ['fillers', 'a\u3164\u115f\uffa0b', 'ab'],
  ['full-width letters', '\uff21\uff22', 'AB'],
  ['line breaks and wide spaces', 'a\n\u3000 b', 'a b'],
])('%s do not make another text of the same look', (_name, text, visible) => {
  expect(visibleText(text)).toBe(visible);
  expect(hasInvisible(visibleText(text))).toBe(false);
});

test('an escaped text shows every character', () => {
  expect(escapeInvisible('Grüße, 東京 – 5 µg')).toBe('Grüße, 東京 – 5 µg');
  expect(escapeInvisible('a\tb\u{e0041}')).toBe('a\\u{9}b\\u{e0041}');
});
