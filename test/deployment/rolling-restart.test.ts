import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { changingJob, ruleBreaks } from '../support/changing-job.js';
import { freePort } from '../support/free-port.js';
import { newPatient } from '../support/heart-disease.js';
import { startNginx } from '../support/nginx.js';
import type { JobEvent } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { secureCaller, secureClient } from '../support/through-nginx.js';
import { atEnd } from '../support/at-end.js';

/** Longer than fail_timeout of ops/nginx/nginx.conf, as its comment asks. */
const DRAIN_SECONDS = '4';
const sockets = 200;
const jobsFollowed = 20;

/** Starts an API at a port of its own, as a service manager does. */
async function startApiAt(port: number, settings: Readonly<Record<string, string | undefined>>) {
  const api = await startServerProcess('api', {
    ...settings,
    PORT: String(port),
    TRUST_PROXY: 'loopback',
    DRAIN_SECONDS,
  });
  atEnd(() => api.stop());
  return {
    url: api.url,
    async restart() {
      process.kill(api.pid, 'SIGTERM');
      expect(await api.exited).toMatchObject({ code: 0 });
      return startApiAt(port, settings);
    },
  };
}

/** Follows a job over a socket. */
function follow(client: GraphqlClient, id: string) {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  async function collect(): Promise<JobEvent[]> {
    const events: JobEvent[] = [];
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      events.push(scoringJobUpdated);
      begin();
    }
    return events;
  }
  return { begun, ended: collect() };
}

// Four processes start one after the other, which takes long on a busy machine.
test(
  'two APIs behind nginx are restarted one after the other: no request fails, no event is lost',
  { timeout: 300_000 },
  async () => {
    const system = await startSystem({ worker: false });
    const settings = settingsFor(system.app.config);
    const [first, second] = await Promise.all(
      [await freePort(), await freePort()].map((port) => startApiAt(port, settings)),
    );
    const nginx = await startNginx([first!.url, second!.url]);
    const token = await system.token('CLINICIAN');
    const jobs = await Promise.all(Array.from({ length: jobsFollowed }, () => changingJob(system)));

    const breaks: (number | undefined)[] = [];
    const followers = Array.from({ length: sockets }, (_, place) => {
      const onBreak = (error: Error): unknown => breaks.push((error as { code?: number }).code);
      return follow(secureClient(nginx, token, { onBreak }), jobs[place % jobs.length]!.id);
    });
    await Promise.all(followers.map(({ begun }) => begun));

    let isLoaded = true;
    const failures: unknown[] = [];
    let answered = 0;
    let created = 0;
    const call = secureCaller(nginx, 20);
    async function load(place: number): Promise<void> {
      for (let count = place; isLoaded; count += 1) {
        const creates = count % 4 === 0;
        const body = creates
          ? {
              query: 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
              variables: { input: newPatient() },
            }
          : { query: `{ riskModels { id } patients(first: 1) { totalCount } }` };
        const answer = await call('/graphql', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }).catch((error: Error) => ({ status: error.message, body: '' }));
        const { data, errors } = JSON.parse(answer.body || '{}') as { data?: unknown; errors?: unknown };
        if (answer.status !== 200 || !data || errors) failures.push({ creates, ...answer });
        else if (creates) created += 1;
        answered += 1;
        await pause(20);
      }
    }
    async function change(): Promise<void> {
      while (isLoaded) {
        for (const job of jobs) await job.advance();
        await pause(100);
      }
    }
    const before = await system.app.models.patients.countDocuments();
    const work = [change(), ...Array.from({ length: 20 }, (_, place) => load(place))];
    await first!.restart();
    await second!.restart();
    isLoaded = false;
    await Promise.all(work);
    for (const job of jobs) await job.complete();

    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    // None was sent twice.
    expect((await system.app.models.patients.countDocuments()) - before).toBe(created);
    for (const events of await Promise.all(followers.map(({ ended }) => ended))) {
      expect(ruleBreaks(events)).toEqual([]);
      expect(events.at(-1)!.job.state).toBe('COMPLETED');
    }
    // Each socket was asked to go elsewhere. None was cut.
    expect(new Set(breaks)).toEqual(new Set([1001]));
  },
);
