/** Covers src/protection/field-cipher.ts, src/scope/patient-cipher.ts. */
// Threat: an attacker who can write to the database, but has no key, puts the ciphertext of one patient in the place of
// another's. The attacker wants to read it as their own, or to have a patient treated as another person.

import { mongo, Types } from 'mongoose';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StoredPatient } from '../../models/index.js';
import { createLogger } from '../../src/process/logger.js';
import { startProtection } from '../../src/protection/start-protection.js';
import { goldenFeatures } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { ended, patient, submit } from '../support/scenario.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const logLines: string[] = [];
const logger = Object.assign(createLogger('trace', 'test'), {
  [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
});
const system = await startSystem({ logger });
const { models } = system.app;
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

const fields = ['mrn', 'givenName', 'familyName', 'birthDate'] as const;
type Field = (typeof fields)[number];
let count = 0;

async function createPatient(slug = 'alpha'): Promise<string> {
  count += 1;
  const input = {
    mrn: `Canarymrn-${count}`,
    givenName: `Canarygiven${count}`,
    familyName: `Canaryfamily${count}`,
    birthDate: `19${30 + (count % 60)}-02-03`,
    features: goldenFeatures(0).filter(({ code }) => code !== 'age'),
  };
  return (await patient(await system.client('CLINICIAN', slug), input)).id;
}

const stored = (id: string): Promise<StoredPatient> => models.patients.findById(id).lean<StoredPatient>().orFail();
const write = (id: string, values: object) =>
  models.patients.collection.updateOne({ _id: new Types.ObjectId(id) }, { $set: values });
const read = (id: string, field: Field): Promise<Answer<{ patient: Record<string, string> | null }>> =>
  system.post(`{ patient(id: "${id}") { id ${field} } }`, undefined, token);

/** Expects an error with a correlation id, which is in the log with the place, and no patient data in either. */
function expectRefused(answer: Answer, id: string, field: Field): void {
  expect(codesOf(answer)).toEqual(['INTERNAL']);
  expect(answer.text).not.toContain('Canary');
  expect(answer.text).not.toMatch(/19\d\d-\d\d-\d\d/);
  const { correlationId, ...others } = answer.errors![0]!.extensions!;
  expect(others).toEqual({ code: 'INTERNAL', requestId: correlationId });
  const line = logLines.find((one) => one.includes(correlationId!));
  expect(JSON.parse(line!)).toMatchObject({ err: { type: 'CiphertextError', subject: `patients.${field} of ${id}` } });
  expect(logLines.join('')).not.toContain('Canary');
}

let [mine, theirs] = ['', ''];
beforeEach(async () => {
  [mine, theirs] = [await createPatient(), await createPatient()];
});

describe.each(fields)('%s', (field) => {
  // Shows: 164.312(c)(2)
  test('of another patient is refused, and the rest of the patient is still there', async () => {
    const { [field]: ciphertext, dataKey } = await stored(theirs);
    await write(mine, { [field]: ciphertext, dataKey });
    expectRefused(await read(mine, field), mine, field);
    const other = field === 'familyName' ? 'givenName' : 'familyName';
    expect((await read(mine, other)).data!.patient![other]).toMatch(/^Canary/);
    expect((await read(theirs, field)).errors).toBeUndefined();
  });

  test('from another field of the same patient is refused', async () => {
    const other = field === 'familyName' ? 'givenName' : 'familyName';
    await write(mine, { [field]: (await stored(mine))[other] });
    expectRefused(await read(mine, field), mine, field);
  });

  test('from another organization is refused, even with its data key and under the same id', async () => {
    const { _id, organization: _organization, ...document } = await stored(await createPatient('beta'));
    const { organization } = await stored(mine);
    const moved = { ...document, organization };
    await models.patients.deleteOne({ _id });
    await models.patients.collection.insertOne({ ...moved, _id } as never);
    expectRefused(await read(_id.toHexString(), field), _id.toHexString(), field);
  });

  // Shows: 164.312(c)(2)
  test('with one bit changed, cut short, emptied or replaced by plain text is refused', async () => {
    const original = (await stored(mine))[field]!;
    const flipped = Buffer.from(original.value());
    flipped[30]! ^= 1;
    const forged: unknown[] = [flipped, original.value().subarray(0, 40), Buffer.alloc(0)].map(
      (bytes) => new mongo.Binary(bytes, 128),
    );
    for (const value of [...forged, 'Canaryplain']) {
      await write(mine, { [field]: value });
      expectRefused(await read(mine, field), mine, field);
    }
    await write(mine, { [field]: original });
    expect((await read(mine, field)).errors).toBeUndefined();
  });
});

test('over the WebSocket it is refused as well', async () => {
  const job = await submit(client, { patientId: mine });
  await ended(client, job.id);
  await write(mine, { familyName: (await stored(theirs)).familyName });
  const socket = await connectSocket(system.url, token);
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: {
      query: `subscription { scoringJobUpdated(id: "${job.id}") { job { state patient { givenName familyName } } } }`,
    },
  });
  const event = await socket.next();
  expect(event).toMatchObject({
    type: 'next',
    payload: {
      data: {
        scoringJobUpdated: {
          job: { state: 'COMPLETED', patient: { givenName: expect.stringMatching(/^Canarygiven/), familyName: null } },
        },
      },
      errors: [{ extensions: { code: 'INTERNAL', correlationId: expect.any(String) } }],
    },
  });
  expect(JSON.stringify(event)).not.toContain('Canaryfamily');
});

test('a page shows all patients, without that field of that patient', async () => {
  await write(mine, { familyName: (await stored(theirs)).familyName });
  const answer = await system.post<{ patients: { edges: { node: { id: string; familyName: string | null } }[] } }>(
    '{ patients(first: 2) { edges { node { id familyName } } } }',
    undefined,
    token,
  );
  expect(codesOf(answer)).toEqual(['INTERNAL']);
  expect(answer.data!.patients.edges.map(({ node }) => node.familyName)).toEqual([
    expect.stringMatching(/^Canaryfamily/),
    null,
  ]);
});

// Shows: 164.312(c)(2)
test('a patient with the birth date of another is not scored, and fails alone in a batch', async () => {
  await write(mine, { birthDate: (await stored(theirs)).birthDate });
  await expect(submit(client, { patientId: mine })).rejects.toMatchObject({ code: 'INTERNAL' });
  const job = await submit(client, { patientIds: [mine, theirs] });
  const last = await ended(client, job.id);
  expect(last).toMatchObject({ state: 'COMPLETED', progress: { processed: 2, total: 2, failed: 1 } });
  const { data } = await system.post<{ scoringJob: object }>(
    /* GraphQL */ `
      {
        scoringJob(id: "${job.id}") {
          failures {
            patientId
            code
            message
          }
          predictions {
            edges {
              node {
                patient {
                  id
                }
              }
            }
          }
        }
      }
    `,
    undefined,
    token,
  );
  expect(data!.scoringJob).toEqual({
    failures: [
      {
        patientId: mine,
        code: 'INTERNAL',
        message: expect.stringMatching(/^A protected field cannot be read/) as string,
      },
    ],
    predictions: { edges: [{ node: { patient: { id: theirs } } }] },
  });
});

test('a data key that is handed to another organization stops the next start', async () => {
  const dataKey = await models.dataKeys
    .findById((await stored(await createPatient('beta'))).dataKey)
    .lean()
    .orFail();
  const elsewhere = { organization: (await stored(mine)).organization, state: 'RETIRED' };
  await models.dataKeys.collection.updateOne({ _id: dataKey._id }, { $set: elsewhere });
  await expect(startProtection({ models, masterKeys: system.app.config.masterKeys })).rejects.toThrow(
    new RegExp(`^The data key ${dataKey._id.toHexString()} cannot be decrypted`),
  );
  await models.dataKeys.collection.updateOne(
    { _id: dataKey._id },
    { $set: { organization: dataKey.organization, state: dataKey.state } },
  );
  await startProtection({ models, masterKeys: system.app.config.masterKeys });
});
