import { Types } from 'mongoose';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/process/logger.js';
import { connectSocket } from '../support/raw-socket.js';
import { scored } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const logLines: string[] = [];
/** The product's own logger at its lowest level, writing into memory. */
const logger = Object.assign(createLogger('trace', 'test'), {
  [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
});
const system = await startSystem({ logger });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

// Shows: owasp/error-detail
test('an unexpected error shows only a correlation id, which is in the log too', async () => {
  // A damaged document, as after an error of the disk: the API cannot give the types that it promises.
  const _id = new Types.ObjectId();
  const { patients } = system.app.scopeOf({ organizationId: await system.organizationId() });
  await patients.insert({
    _id,
    mrn: 'Canarymrn-2',
    sex: 'Canarysex' as never,
    features: [],
    version: 1,
    createdAt: new Date(),
    updatedAt: new Date(),
  });
  onTestFinished(() => void system.app.models.patients.collection.deleteOne({ _id }));
  const answer = await system.post(`{ patient(id: "${_id.toHexString()}") { mrn sex } }`, undefined, token);
  expect(codesOf(answer)).toEqual(['INTERNAL']);
  const [error] = answer.errors!;
  expect(Object.keys(error!.extensions!)).toEqual(['code', 'requestId', 'correlationId']);
  expect(error!.message).toContain(error!.extensions!.correlationId);
  // The caller may read the MRN, which is beside the field that failed.
  expect(answer.text.replace('"mrn":"Canarymrn-2"', '')).not.toContain('Canary');
  const line = logLines.find((one) => one.includes(error!.extensions!.correlationId!));
  expect(line).toBeDefined();
  expect(line).not.toContain('Canary');
});

test('an unexpected error of a subscription shows only a correlation id, too', async () => {
  const { jobId } = await scored(client);
  await system.app.models.scoringJobs.collection.updateOne(
    { _id: new Types.ObjectId(jobId) },
    { $set: { kind: 'Canarykind' } },
  );
  const socket = await connectSocket(system.url, token);
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: `subscription { scoringJobUpdated(id: "${jobId}") { job { kind } } }` },
  });
  const event = await socket.next();
  expect(event).toMatchObject({
    type: 'next',
    payload: { errors: [{ extensions: { code: 'INTERNAL', correlationId: expect.any(String) } }] },
  });
  expect(JSON.stringify(event)).not.toContain('Canary');
});
