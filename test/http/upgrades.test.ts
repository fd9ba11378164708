/** Covers src/http/upgrades.ts. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createErrorFormatter } from '../../src/http/error-format.js';
import { createPlaces } from '../../src/http/places.js';
import { createRequestSources } from '../../src/http/request-source.js';
import { serveUpgrades } from '../../src/http/upgrades.js';
import { connectRaw, upgradeRequest } from '../support/raw-frames.js';

const logger = pino({ level: 'silent' });

// Shows: owasp/system-resources
test('a request for a socket gets an answer when a newer one takes its place before it is open', async () => {
  const server = createServer();
  const limits = { unproven: 10, unprovenPerAddress: 1, proven: 10, perUser: 10, perOrganization: 10 };
  serveUpgrades(server, {
    sources: createRequestSources([]),
    // Redis does not answer: no request is counted, and so none is opened.
    limiter: { count: () => new Promise(() => undefined) },
    places: createPlaces(limits),
    corsOrigins: [],
    formatError: createErrorFormatter(logger),
    logger,
    serve: () => expect.unreachable(),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const first = await connectRaw(url, upgradeRequest());
  const second = await connectRaw(url, upgradeRequest());
  onTestFinished(() => [first, second].forEach(({ socket }) => socket.destroy()));
  await first.ended;
  expect(first.received()).toMatch(/^HTTP\/1\.1 503 [^]*Too many sockets without a token: connect again/);
  expect(second.socket.destroyed).toBe(false);
});
