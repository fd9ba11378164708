/** Covers `executeOperations` and `executedBefore` of src/http/apollo-plugins.ts. */

import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { modelId } from '../support/heart-disease.js';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;

test('a mutation whose answer has an error of a field is executed once', async () => {
  const client = await system.client('CLINICIAN', 'once');
  const token = await system.token('CLINICIAN', 'once');
  const { id: patientId } = await patient(client);
  const answer = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: `mutation ($patientId: ID!, $modelId: ID!) {
        submitScoringJob(input: { patientId: $patientId, modelId: $modelId }) { id transitions(last: 0) { state } }
      }`,
      variables: { patientId, modelId },
    }),
  });
  const { errors } = (await answer.json()) as { errors: { path: unknown[]; extensions: { code: string } }[] };
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(await app.models.scoringJobs.countDocuments({ patient: new Types.ObjectId(patientId) })).toBe(1);
});
