import { expect, test } from 'vitest';
import { changingJob } from '../support/changing-job.js';
import { startSystem } from '../support/system.js';
import { isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

const figures = Array.from({ length: 8 }, (_, index) => `f${index}: importancePlot`).join(' ');

// Large events are written piece by piece.
test.each(
  transports
    .filter(([transport]) => isForSubscriptions(transport))
    .flatMap(([transport, send]) => [
      [transport, 'a small', 'job { state }', send] as const,
      [transport, 'a large', `job { state model { ${figures} } }`, send] as const,
    ]),
)('over %s %s event tells what it costs', async (_transport, _size, fields, send) => {
  const { id } = await changingJob(system);
  const query = `subscription { scoringJobUpdated(id: "${id}") { sequence ${fields} } }`;
  const { text, errors } = await send(system, { query }, token);
  expect(errors).toEqual([]);
  expect(text).toMatch(/"extensions":\{"cost":[1-9]\d*\}/);
  expect(text).toContain('"state":"ACTIVE"');
});

test('in production no event tells what it costs', async () => {
  const production = await startSystem({ worker: false, environment: { NODE_ENV: 'production' } });
  const { id } = await changingJob(production);
  const access = await production.token('CLINICIAN');
  for (const [transport, send] of transports.filter(([name]) => isForSubscriptions(name))) {
    const query = `subscription { scoringJobUpdated(id: "${id}") { sequence } }`;
    const { text } = await send(production, { query }, access);
    expect(text, transport).toContain('"sequence":2');
    expect(text, transport).not.toContain('cost');
  }
});
