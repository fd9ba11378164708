import { expect, test } from 'vitest';
import { createLoadedModels } from '../../src/model-store/loaded-models.js';
import type { RiskModel, Score } from '../../src/risk/risk-model.js';

/** Models that only tell that they were loaded and closed, and score when they are told to. */
function recorder() {
  const log: string[] = [];
  const runs: (() => void)[] = [];
  const model = (name: string): RiskModel =>
    ({
      sha256: name,
      score: async () => {
        await new Promise<void>((resolve) => runs.push(resolve));
        return [] as Score[];
      },
      close: async () => void log.push(`close ${name}`),
    }) as Partial<RiskModel> as RiskModel;
  const load = async (name: string): Promise<RiskModel> => {
    log.push(`load ${name}`);
    return model(name);
  };
  return { log, runs, model, load };
}

test('offered models stay, and of the retired ones those that were used last', async () => {
  const { log, model, load } = recorder();
  const models = createLoadedModels(2, load);
  models.keep('offered', model('offered'));
  for (const name of ['a', 'b', 'a', 'c', 'offered', 'a']) await models.get(name);
  expect(log).toEqual(['load a', 'load b', 'load c', 'close b']);
  models.release('offered');
  expect(log).toEqual(['load a', 'load b', 'load c', 'close b', 'close c']);
  await models.close();
  expect(log.slice(5).sort()).toEqual(['close a', 'close offered']);
});

test('a model in use is closed after its last run, and a closed one is loaded again when it scores', async () => {
  const { log, runs, load } = recorder();
  const models = createLoadedModels(1, load);
  const held = await models.get('a');
  const run = held.score([]);
  await models.get('b');
  expect(log).toEqual(['load a', 'load b']);
  while (runs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  runs.shift()!();
  await run;
  expect(log).toEqual(['load a', 'load b', 'close a']);
  const again = held.score([]);
  while (runs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  runs.shift()!();
  await again;
  expect(log).toEqual(['load a', 'load b', 'close a', 'load a', 'close b']);
  await models.close();
});

test('callers at the same time share one load, and a failed load is tried again', async () => {
  let fails = true;
  const { log, load } = recorder();
  const models = createLoadedModels(1, async (name) => {
    if (fails) throw new Error('away');
    return load(name);
  });
  await expect(models.get('a')).rejects.toThrow('away');
  fails = false;
  const [one, other] = await Promise.all([models.get('a'), models.get('a')]);
  expect(one).toBe(other);
  expect(log).toEqual(['load a']);
  await models.close();
});
