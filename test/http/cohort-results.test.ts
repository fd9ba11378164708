import { describe, expect, test } from 'vitest';
import { cohortDoors, csv, type ResultLine } from '../support/cohorts.js';
import { ended } from '../support/scenario.js';

const { system, client, token, send, results, refusal } = await cohortDoors();
const { models } = system.app;

describe('the results of a batch', () => {
  test('go on behind a row, with failures in their places', async () => {
    const { jobId } = await send(`mrn,age,sex,chest_pain_type\nF-1,63,1,4\nF-2,63,1,\nF-3,63,1,4\n`);
    await ended(client, jobId!);
    const lines = await results(jobId!);
    expect(lines.map(({ row, prediction, failure }) => [row, prediction !== undefined, failure?.code])).toEqual([
      [1, true, undefined],
      [2, false, 'BAD_USER_INPUT'],
      [3, true, undefined],
    ]);
    expect(lines[1]!.failure!.message).toContain('chest_pain_type');
    for (const after of [0, 1, 2, 3])
      expect((await results(jobId!, `?after=${after}`)).map(({ row }) => row)).toEqual([1, 2, 3].slice(after));
  });

  test('are for those who may read predictions of the organization, and MRNs for those who may see names', async () => {
    const { jobId } = await send(csv('RIGHTS', 1));
    await ended(client, jobId!);
    expect(await refusal(jobId!, '', '')).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await refusal(jobId!, '', await system.token('ADMIN'))).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await refusal(jobId!, '', await system.token('CLINICIAN', 'beta'))).toEqual({
      status: 404,
      code: 'NOT_FOUND',
    });
    const analyst = await system.token('ANALYST');
    expect(await refusal(jobId!, '?mrn=true', analyst)).toEqual({ status: 403, code: 'FORBIDDEN' });
    const [line] = await results(jobId!, '', analyst);
    expect(line!.mrn).toBeUndefined();
    expect(Number.isInteger(line!.prediction!.inputs.age)).toBe(true);
    expect(await refusal('not-an-id')).toEqual({ status: 404, code: 'NOT_FOUND' });
    expect(await refusal(jobId!, '?after=-1')).toEqual({ status: 400, code: 'BAD_USER_INPUT' });
  });

  test('show no explanation that was damaged in the database', async () => {
    const { jobId } = await send(csv('DAMAGED', 1));
    await ended(client, jobId!);
    await models.predictionBlocks.updateOne({ job: jobId }, { $inc: { 'explanation.baseValue': 0.1 } });
    expect((await results(jobId!))[0]!.prediction!.explanation).toBeNull();
  });

  test('leave out a patient that was deleted', async () => {
    const { jobId } = await send(csv('GONE', 3));
    await ended(client, jobId!);
    const [, second] = await results(jobId!);
    await system.post(`mutation { deletePatient(id: "${second!.patientId}") { id } }`, undefined, token);
    expect((await results(jobId!)).map(({ row }) => row)).toEqual([1, 3]);
  });
});

test('a client that stops reading goes on later behind its last row', async () => {
  const { jobId } = await send(csv('UNREAD', 3_000));
  await ended(client, jobId!);
  const controller = new AbortController();
  const response = await fetch(`${system.url}/jobs/${jobId!}/predictions.ndjson`, {
    headers: { authorization: `Bearer ${token}` },
    signal: controller.signal,
  });
  const first = Buffer.from((await response.body!.getReader().read()).value!).toString('utf8');
  controller.abort();
  const { row } = JSON.parse(first.split('\n').slice(0, -1).at(-1)!) as ResultLine;
  const rest = await results(jobId!, `?after=${row}`);
  expect(rest[0]!.row).toBe(row + 1);
  expect(rest.at(-1)!.row).toBe(3_000);
});
