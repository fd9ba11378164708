/** Covers src/predictions/prediction-stream.ts, src/predictions/stream-cursors.ts, src/predictions/log-reader.ts. */
// Threat: a caller resumes a stream of new predictions to get those that a live subscriber could not see.

import { describe, expect, test } from 'vitest';
import { careTeams } from '../support/care-team.js';
import { followersAt, takers } from '../support/prediction-stream.js';
import { scored } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const { clinician, patientOf, breakGlass, eventsOf } = careTeams(system);
const [ada, bob] = [await clinician('ada'), await clinician('bob')];
const client = await system.client('CLINICIAN');
const { overWebSocket, transports } = takers(system);

describe.each(transports)('resuming over %s', (_name, take) => {
  // Shows: 164.312(a)(1), owasp/idor
  test('leaves out the predictions of patients whom the caller may not see now, and does not send them later', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const [start] = await take(1, { as: bob, meanwhile: () => scored(client) });
    const hers = await patientOf(['ada'], ada);
    const open = await patientOf(null, ada);
    const [resumed] = await take(1, { as: bob, after: start!.cursor });
    expect(resumed!.id).toBe(open.predictionId);
    expect(await eventsOf(hers.id, 'bob')).toEqual([]);
    expect((await take(2, { as: ada, after: start!.cursor })).map(({ id }) => id)).toEqual([
      hers.predictionId,
      open.predictionId,
    ]);

    // With the glass broken the same place gives it, and the reading is flagged. The later place does not. A check of
    // the care team is shared for a second.
    await breakGlass(`patientId: "${hers.id}"`, bob);
    await expect.poll(async () => (await take(1, { as: bob, after: start!.cursor }))[0]!.id).toBe(hers.predictionId);
    expect(await eventsOf(hers.id, 'bob')).toContainEqual(
      expect.objectContaining({ action: 'prediction:read', flagged: true }),
    );
    const next = await scored(client);
    expect((await take(1, { as: bob, after: resumed!.cursor }))[0]!.id).toBe(next.predictionId);
  });

  // Shows: owasp/authorization
  test('is refused to a role that may not read predictions', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const [start] = await take(1, { meanwhile: () => scored(client) });
    const as = await system.token('ADMIN');
    await expect(take(1, { as, after: start!.cursor })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  // Shows: 164.312(a)(1)
  test('is refused with the cursor of a patient whom the caller may not see', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const hers = await patientOf(['ada'], ada);
    await expect(take(1, { as: bob, patientId: hers.id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

// Shows: owasp/error-detail
test('a cursor does not tell how many predictions there are', async () => {
  await expect.poll(() => followersAt(system.url)).toBe(0);
  const events = await overWebSocket(3, {
    async meanwhile() {
      for (let count = 0; count < 3; count += 1) await scored(client);
    },
  });
  const cursors = events.map(({ cursor }) => Buffer.from(cursor, 'base64url'));
  expect(new Set(cursors.map(({ length }) => length)).size).toBe(1);
  // Numbers that follow each other would share most of their bytes.
  const [first, second] = cursors;
  const shared = [...first!].filter((byte, index) => byte === second![index]).length;
  expect(shared).toBeLessThan(first!.length / 4);
});
