import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { createScoringEngine, startScoringThread, type ScoringTask } from '../../src/scoring/scoring-engine.js';
import { loadRiskModels, type DirectoryModel } from '../../src/risk/registry.js';
import { readBundle } from '../../src/risk/bundle/bundle-files.js';
import { InvalidModelError } from '../../src/risk/errors.js';
import { goldenFeatures } from '../support/heart-disease.js';

const [{ model, directory }] = (await loadRiskModels('risk-models')) as [DirectoryModel];
const reads: string[] = [];
const threads: Worker[] = [];
const engine = createScoringEngine({
  threads: 1,
  start: () => {
    const thread = startScoringThread();
    threads.push(thread);
    return thread;
  },
  bundle: (id, version) => {
    reads.push(`${id}@${version}`);
    return version === model.manifest.version
      ? readBundle(directory)
      : Promise.reject(new InvalidModelError(`risk model ${id}@${version}`, 'it is not known', 'add it'));
  },
  logger: pino({ level: 'silent' }),
});
afterAll(() => engine.close());

const row = model.encode(Object.fromEntries(goldenFeatures(0).map(({ code, value }) => [code, value])));
const signal = new AbortController().signal;

function task(rowCount: number): ScoringTask {
  return {
    model,
    used: Float64Array.from(Array.from({ length: rowCount }, () => [...row.used]).flat()),
    rowCount,
    explain: true,
  };
}

describe('a scoring thread', () => {
  test('gives exactly the results of this thread', async () => {
    const { rawOutputs, answers, explanations } = await engine.score(task(3), signal);
    const [[score], [explanation]] = await Promise.all([model.score([row]), model.explain([row])]);
    expect([...rawOutputs]).toEqual(Array(3).fill(score!.rawOutput));
    expect([...answers]).toEqual(Array(3).fill(score!.probability));
    expect([...explanations!.contributions.subarray(explanation!.contributions.length * 2)]).toEqual([
      ...explanation!.contributions,
    ]);
  });

  test('stops in the middle of a task that is cancelled, and never begins one that waits', async () => {
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = engine.score(task(200_000), running.signal);
    const second = engine.score(task(1), waiting.signal);
    waiting.abort(new Error('not wanted'));
    await expect(second).rejects.toThrow('not wanted');
    running.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    expect((await engine.score(task(1), signal)).answers).toHaveLength(1);
  });

  test('answers each of several tasks at once with its own result', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map((rowCount) => engine.score(task(rowCount), signal)));
    expect(answers.map(({ answers }) => answers.length)).toEqual([1, 2, 3, 4, 5]);
  });

  test('that dies fails its task with an error that allows another attempt, and a new thread replaces it', async () => {
    const lost = engine.score(task(200_000), signal);
    // Tasks that the dead thread had not begun are not lost.
    const next = engine.score(task(2), signal);
    await Promise.all([
      expect(lost).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' }),
      threads.at(-1)!.terminate(),
    ]);
    expect((await next).answers).toHaveLength(2);
    expect((await engine.score(task(1), signal)).answers).toHaveLength(1);
    expect(threads).toHaveLength(2);
    // Each thread has asked for the files once.
    expect(reads).toEqual(Array(2).fill(`${model.manifest.id}@${model.manifest.version}`));
  });

  test('fails the tasks of a model whose files it does not get, and does the others', async () => {
    const other = { ...model, manifest: { ...model.manifest, version: '9.9.9' } };
    const lost = engine.score({ ...task(1), model: other }, signal);
    const next = engine.score(task(2), signal);
    await expect(lost).rejects.toThrow('heart-disease@9.9.9: it is not known');
    expect((await next).answers).toHaveLength(2);
  });
});
