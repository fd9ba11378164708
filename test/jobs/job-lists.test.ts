import { expect, test } from 'vitest';
import type { EventBus } from '../../src/events/event-bus.js';
import { createJobListStreams } from '../../src/jobs/job-list-stream.js';
import type { JobChange } from '../../src/jobs/job-status.js';
import { startWorkers } from '../../workers/index.js';
import { careTeams } from '../support/care-team.js';
import { asAdmin } from '../support/identity.js';
import { connectSocket, type RawSocket } from '../support/raw-socket.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

interface Event {
  readonly sequence: number;
  readonly collapsed: number;
  readonly job: { readonly id: string; readonly state: string };
}

let followers = 0;
/** Follows a list of jobs. Resolves when the server follows it. */
async function follow(filter: object, as = token): Promise<RawSocket> {
  const socket = await connectSocket(system.url, as);
  const query = `subscription ($filter: ScoringJobFilter) {
    scoringJobsUpdated(filter: $filter) { sequence collapsed job { id state } }
  }`;
  socket.send({ type: 'subscribe', id: '1', payload: { query, variables: { filter } } });
  followers += 1;
  // The protocol does not acknowledge a single subscription.
  await expect
    .poll(async () => (await fetch(`${system.url}/metrics`)).text())
    .toContain(`riskgraph_subscriptions{kind="scoringJobsUpdated"} ${followers}`);
  return socket;
}

const nextEvent = async (socket: RawSocket): Promise<Event> => {
  const { payload } = (await socket.next()) as { payload: { data: { scoringJobsUpdated: Event } } };
  return payload.data.scoringJobsUpdated;
};
/** Every event up to the end of each of these jobs. */
async function untilEnded(socket: RawSocket, ids: readonly string[]): Promise<Event[]> {
  const left = new Set(ids);
  const events: Event[] = [];
  while (left.size > 0) {
    const event = await nextEvent(socket);
    events.push(event);
    if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(event.job.state)) left.delete(event.job.id);
  }
  return events;
}
async function close(socket: RawSocket): Promise<void> {
  socket.close();
  followers -= 1;
  await expect
    .poll(async () => (await fetch(`${system.url}/metrics`)).text())
    .toContain(`riskgraph_subscriptions{kind="scoringJobsUpdated"} ${followers}`);
}
const submitOne = async (): Promise<string> => (await submit(client, { patientId: (await patient(client)).id })).id;

test('a page of jobs gets every change of state of each job, from its submission on', async () => {
  const page = await follow({});
  const ids = [await submitOne(), await submitOne(), (await submit(client, { all: true })).id];
  const workers = await startWorkers(system.app);
  const events = await untilEnded(page, ids);
  for (const id of ids) {
    const ofJob = events.filter(({ job }) => job.id === id);
    let previous = 0;
    for (const { sequence, collapsed } of ofJob) {
      expect(sequence).toBe(previous + 1 + collapsed);
      previous = sequence;
    }
    expect(ofJob.at(-1)!.job.state).toBe('COMPLETED');
    expect(new Set(ofJob.map(({ job }) => job.state))).toContain('ACTIVE');
  }
  await workers.close();
  await close(page);
});

test('a job that was submitted since, and is read only after its end, is told from its beginning', async () => {
  const { models, logger } = system.app;
  let tell = (_event: { scoringJobId: string; organizationId: string }): void => undefined;
  // The event of the job comes when the test says so.
  const events = {
    subscribe: (_topic: string, listener: typeof tell) => ((tell = listener), () => undefined),
    onGap: () => () => undefined,
  } as unknown as EventBus;
  const streams = createJobListStreams({ models, events, logger });
  const organizationId = await system.organizationId();
  const list = streams.follow(organizationId, async (jobs) => jobs.map((job) => ({ job, matches: true })));
  const workers = await startWorkers(system.app);
  const id = await submitOne();
  await ended(client, id);
  tell({ scoringJobId: id, organizationId });
  const changes: JobChange[] = [];
  while (changes.at(-1)?.job.status.state !== 'COMPLETED') changes.push((await list.next()).value as JobChange);
  streams.close();
  await workers.close();
  expect(changes.map(({ job }) => job.status.state)).toEqual(['QUEUED', 'ACTIVE', 'COMPLETED']);
});

test('a job that leaves the list is sent once more, and then no longer', async () => {
  const waiting = await follow({ states: ['QUEUED'] });
  const id = await submitOne();
  expect(await nextEvent(waiting)).toMatchObject({ sequence: 1, job: { id, state: 'QUEUED' } });
  await system.post(`mutation { cancelScoringJob(id: "${id}") { id } }`, undefined, token);
  expect(await nextEvent(waiting)).toMatchObject({ job: { id, state: 'CANCELLED' } });
  const other = await submitOne();
  expect(await nextEvent(waiting)).toMatchObject({ job: { id: other, state: 'QUEUED' } });
  await close(waiting);
  // Else it would run in the next test.
  await system.post(`mutation { cancelScoringJob(id: "${other}") { id } }`, undefined, token);
});

test('jobs about a patient of another care team, and those of another organization, are not sent', async () => {
  const teams = careTeams(system);
  const [ann, bob] = [await teams.clinician('ann'), await teams.clinician('bob')];
  const page = await follow({}, ann);
  const beta = await system.client('CLINICIAN', 'beta');
  await submit(beta, { patientId: (await patient(beta)).id });
  const workers = await startWorkers(system.app);
  const hers = await teams.patientOf(['bob'], bob);
  await workers.close();
  const id = await submitOne();
  const seen = [await nextEvent(page)];
  while (seen.at(-1)!.job.id !== id) seen.push(await nextEvent(page));
  expect(seen.map(({ job }) => job.id)).not.toContain(hers.jobId);
  expect(new Set(seen.map(({ job }) => job.id))).toEqual(new Set([id]));
  await close(page);
});

test('a filter by patient needs the right to predictions', async () => {
  const { createApiKey } = await asAdmin<{ createApiKey: { key: string } }>(
    system,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: 'jobs only', scopes: ['job:read'] } },
  );
  const { id } = await patient(client);
  const socket = await connectSocket(system.url, createApiKey.key);
  const query = `subscription { scoringJobsUpdated(filter: { patientId: "${id}" }) { sequence } }`;
  socket.send({ type: 'subscribe', id: '1', payload: { query } });
  expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'FORBIDDEN' } }] });
});

test('a list of one patient has the jobs of that patient alone', async () => {
  const { id: patientId } = await patient(client);
  const page = await follow({ patientId });
  await submitOne();
  const { id } = await submit(client, { patientId });
  const workers = await startWorkers(system.app);
  await ended(client, id);
  const events = await untilEnded(page, [id]);
  expect(new Set(events.map(({ job }) => job.id))).toEqual(new Set([id]));
  await workers.close();
  await close(page);
});
