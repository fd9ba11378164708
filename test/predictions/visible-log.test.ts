import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { createVisibleLog } from '../../src/predictions/visible-log.js';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

test('a follower gets predictions of visible patients alone, and all followers share one read of the care teams', async () => {
  const client = await system.client('CLINICIAN');
  const organizationId = await system.organizationId();
  const careTeams = [['ward-a'], ['ward-b'], ['ward-a', 'ward-b'], undefined];
  const patients = await Promise.all(
    careTeams.map(async (careTeam) => {
      const _id = new Types.ObjectId((await patient(client)).id);
      if (careTeam) await system.app.models.patients.updateOne({ _id }, { $set: { careTeam } });
      return { patient: _id };
    }),
  );
  const [ofA, ofB, ofBoth, ofAll] = patients;
  const unknown = { patient: new Types.ObjectId() };
  let reads = 0;
  const connection = system.app.models.patients.db;
  connection.set('debug', (collection: string) => void (collection === 'patients' && (reads += 1)));
  try {
    const select = createVisibleLog(system.app.scopeOf);
    const seenBy = (username: string, role: Role = Role.CLINICIAN) =>
      select({ organizationId, role, username }, [...patients, unknown]);
    const [a, b, none, service] = await Promise.all([
      seenBy('ward-a'),
      seenBy('ward-b'),
      seenBy('ward-c'),
      seenBy('records', Role.SERVICE),
    ]);
    // The read behind this one decides about erased patients.
    expect(a).toEqual([ofA, ofBoth, ofAll, unknown]);
    expect(b).toEqual([ofB, ofBoth, ofAll, unknown]);
    expect(none).toEqual([ofAll, unknown]);
    expect(service).toHaveLength(5);
    expect(reads).toBe(1);
  } finally {
    connection.set('debug', false);
  }
});
