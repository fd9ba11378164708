import { describe, expect, test } from 'vitest';
import { parseModel } from '../../src/risk/parse-model.js';
import { rawOutputs } from '../../src/risk/trees/route.js';
import { fixtureNames, largestDifference, loadFixture } from './fixtures.js';

describe('raw outputs of the parsed trees', () => {
  test.each(fixtureNames)('%s: equal the reference', (name) => {
    const fixture = loadFixture(name);
    const { ensemble } = parseModel(fixture.bytes);
    const raw = rawOutputs(ensemble, fixture.rows, fixture.rowCount);
    expect(largestDifference(raw, fixture.raw.flat())).toBeLessThan(1e-12);
  });
});
