/** Covers src/patients/care-team-fence.ts, src/jobs/visible-jobs.ts. */
// Threat: the time of an answer tells a colleague that a closed object exists. So the same work is done for one that
// does not exist: the test counts the commands that the database gets, which no machine's speed can change.

import { beforeAll, expect, test, vi } from 'vitest';
import { startWorkers } from '../../workers/index.js';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { namespace } from '../support/namespace.js';
import { startSystem } from '../support/system.js';

const { mongoUri } = namespace();
const system = await startSystem({
  worker: false,
  environment: { MONGO_URI: `${mongoUri}${mongoUri.includes('?') ? '&' : '?'}monitorCommands=true` },
});
const { clinician, patientOf } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

const asked: string[] = [];
system.app.database.getClient().on('commandStarted', ({ command, commandName }) => {
  // Other parts of the process work on other collections meanwhile, e.g. on the head of the trail.
  const collection = String(command[commandName]);
  if (['patients', 'predictions', 'prediction_blocks', 'scoring_jobs', 'audit_events'].includes(collection))
    asked.push(`${commandName} ${collection}`);
});

let hers: ScoredPatient;
beforeAll(async () => {
  // The maintenance of a worker would be counted too, so it ends before.
  const workers = await startWorkers(system.app);
  hers = await patientOf(['ada'], ada);
  await workers.close();
});

/** Answers an operation. @returns the answer without the id that was asked for and that of the request, and the commands for it */
async function workFor(operation: string, id: string): Promise<{ text: string; commands: string[] }> {
  asked.length = 0;
  const { text } = await system.post(operation.replaceAll('$id', id), undefined, bob);
  return { text: text.replaceAll(id, '').replace(/"requestId":"[^"]+"/, ''), commands: [...asked].sort() };
}

// Shows: owasp/idor
test.each<[string, string, (of: ScoredPatient) => string]>([
  ['prediction', '{ prediction(id: "$id") { id } }', ({ predictionId }) => predictionId],
  ['verification', '{ verifyPrediction(id: "$id") { agrees } }', ({ predictionId }) => predictionId],
  ['job', '{ scoringJob(id: "$id") { id } }', ({ jobId }) => jobId],
  ['cancellation', 'mutation { cancelScoringJob(id: "$id") { id } }', ({ jobId }) => jobId],
  ['retry', 'mutation { retryScoringJob(id: "$id") { id } }', ({ jobId }) => jobId],
  [
    'list of predictions',
    '{ predictions(filter: { patientId: "$id" }) { totalCount edges { cursor } } }',
    ({ id }) => id,
  ],
  ['list of jobs', '{ scoringJobs(filter: { patientId: "$id" }) { totalCount edges { cursor } } }', ({ id }) => id],
])('a closed %s and an absent one get the same answer for the same work', async (_name, operation, idOf) => {
  // Both were asked for once before, so that neither pays for a connection or a key.
  for (const id of [idOf(hers), 'aaaaaaaaaaaaaaaaaaaaaaaa']) await workFor(operation, id);
  // The trail is sealed at times of its own, which may fall into one of the two: then both are tried again.
  await vi.waitFor(
    async () => {
      const closed = await workFor(operation, idOf(hers));
      const absent = await workFor(operation, 'aaaaaaaaaaaaaaaaaaaaaaaa');
      expect(absent).toEqual(closed);
      expect(closed.commands.length).toBeGreaterThan(1);
    },
    { timeout: 40_000 },
  );
});
