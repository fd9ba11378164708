/* eslint-disable no-console -- a benchmark prints */
import { setTimeout as delay } from 'node:timers/promises';
import { Types } from 'mongoose';
import WebSocket from 'ws';
import { RevocationKind, Role } from '../../models/index.js';
import { createRevocationEpochs } from '../../src/identity/revocation/revocation-epoch.js';
import { createRevocationStore } from '../../src/identity/revocation/revocation-store.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { proxyTo } from '../../test/support/cuttable-proxy.js';
import { percentile, startBenchSystem } from '../jobs/setup.js';

// Measures the time from the revocation of a credential until another process closes the socket that used it. There are
// three cases: the event arrives; the event is lost and only the epoch in Redis shows the change; Redis is down.
const rounds = Number(process.argv[2] ?? 50);

const system = await startBenchSystem(1);
const proxy = await proxyTo(system.engines.redisUrl);
try {
  const api = await startServerProcess('api', { ...system.environment, REDIS_URL: proxy.url });
  const { models, identity, accessTokens, connectRedis, config } = system.app;
  const organization = new Types.ObjectId(system.viewer.organizationId);
  const store = createRevocationStore(models);
  const epochs = createRevocationEpochs(connectRedis('waiting'), config.redisPrefix);
  let users = 0;

  /** @returns the time of its close, in an object: a promise of a promise would wait for both */
  async function openSocket(username: string): Promise<{ readonly closed: Promise<number> }> {
    const token = await accessTokens.sign(
      { username, role: Role.CLINICIAN, organizationId: system.viewer.organizationId },
      3600,
    );
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    await new Promise((resolve) => socket.once('message', resolve));
    return { closed: new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now()))) };
  }
  async function measure(
    name: string,
    revoke: (subject: { kind: RevocationKind; subject: string }) => Promise<unknown>,
  ): Promise<void> {
    const taken: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const username = `user-${(users += 1)}`;
      const { closed } = await openSocket(username);
      // The revocation comes at a random time of the period between two checks of the process.
      await delay(Math.random() * 400);
      const start = performance.now();
      await revoke({ kind: RevocationKind.USER, subject: username });
      taken.push((await closed) - start);
    }
    taken.sort((a, b) => a - b);
    console.log(
      `${name}: p50 ${percentile(taken, 50).toFixed(0)} ms, p99 ${percentile(taken, 99).toFixed(0)} ms, largest ` +
        `${taken.at(-1)!.toFixed(0)} ms of ${rounds}`,
    );
  }

  await measure('with its event', (subject) => identity.revocations.revoke(organization, [subject]));
  await measure('by the epoch in Redis alone', async (subject) =>
    epochs.announce((await store.record(organization, [subject])).epoch),
  );
  proxy.cut();
  await measure('by MongoDB, Redis away', (subject) => store.record(organization, [subject]));
  await api.stop();
} finally {
  await system.close();
  await proxy.close();
}
process.exit(0);
