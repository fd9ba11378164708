import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fixtureDirectory, loadFixture } from '../risk/fixtures.js';
import { writeBundle } from '../risk/support/bundle.js';
import { useTemporaryDirectory } from '../risk/support/temporary-directory.js';
import { cli } from '../support/run-command.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = useTemporaryDirectory();

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function riskgraph(...argumentsGiven: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...argumentsGiven],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
      (error, output, errors) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, output, errors }),
    );
  });
}

describe('riskgraph model', () => {
  test('explain prints the values that shap returns', async () => {
    const rows = join(directory.path, 'rows.json');
    await writeFile(rows, '[[1, 2, null, 4, 5], [0, 0, 0, 0, 0]]');
    const { code, output, errors } = await riskgraph(
      'model',
      'explain',
      '--model',
      join(fixtureDirectory, 'e2-edge-modes.onnx'),
      '--rows',
      rows,
      '--method',
      'path-dependent',
    );
    expect([code, errors]).toEqual([0, '']);
    const explanation = JSON.parse(output) as {
      expected_value: number[];
      output: number[][];
      shap_values: number[][][];
    };
    expect(explanation.expected_value).toEqual(
      loadFixture('e2-edge-modes').pathDependent.expected_value.map((value) => expect.closeTo(value, 9) as unknown),
    );
    explanation.output.forEach((outputs, row) =>
      outputs.forEach((value, index) => {
        expect(
          explanation.shap_values[row]![index]!.reduce((sum, part) => sum + part, explanation.expected_value[index]!),
        ).toBeCloseTo(value, 9);
      }),
    );
  });

  test('explain refuses in one line', async () => {
    const rows = join(directory.path, 'short.json');
    await writeFile(rows, '[[1, 2]]');
    const refused = await riskgraph(
      'model',
      'explain',
      '--model',
      join(fixtureDirectory, 'e2-edge-modes.onnx'),
      '--rows',
      rows,
      '--method',
      'interventional',
    );
    expect(refused).toEqual({
      code: 1,
      output: '',
      errors:
        'error: rows file: its rows have 2 numbers and the model takes 5; give every row one number per feature, ' +
        'null where missing\n',
    });
  });

  test('check prints a table and exits 0 for a sound model, 1 for a faulty one', async () => {
    const sound = await riskgraph('model', 'check', await writeBundle(join(directory.path, 'sound')));
    expect([sound.code, sound.errors]).toEqual([0, '']);
    expect(sound.output).toMatch(/golden vectors .*ok .*3 reproduced/);
    const faulty = await riskgraph('model', 'check', await writeBundle(join(directory.path, 'faulty'), { card: null }));
    expect(faulty.code).toBe(1);
    expect(faulty.output).toMatch(/model card .*FAIL/);
    expect(faulty.errors).toMatch(
      /^error: .*faulty must not serve, 1 of 3 checks failed: model card: MODEL_CARD.md: there is no such file; [^\n]*\n$/,
    );
  });

  test('check prints its report as JSON, and explains rows against a given background', async () => {
    const bundle = await writeBundle(join(directory.path, 'json'));
    const background = join(directory.path, 'background-rows.json');
    await writeFile(background, '[[60, 130, 2], [70, null, 1]]');
    const sound = await riskgraph('model', 'check', bundle, '--json', '--background', background);
    expect(sound.code).toBe(0);
    const report = JSON.parse(sound.output) as { ok: boolean; results: { check: string; detail: string }[] };
    expect(report.ok).toBe(true);
    expect(report.results).toContainEqual({ check: 'given background', ok: true, detail: '2 rows' });
    expect(report.results.find(({ check }) => check === 'interventional SHAP')!.detail).toMatch(
      /against 2, 100, 300 background rows; not offered: the bundle has no background set$/,
    );
    await writeFile(background, '[[60, 130]]');
    const faulty = await riskgraph('model', 'check', bundle, '--json', '--background', background);
    expect(faulty.code).toBe(1);
    expect(JSON.parse(faulty.output)).toMatchObject({ ok: false });
    expect(faulty.errors).toContain('given background: background file: its rows have 2 numbers and the model takes 3');
  });
});
