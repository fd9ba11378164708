import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const lines: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
const system = await startSystem({ worker: false, logger });

const preflight = (url: string): Promise<Response> =>
  fetch(`${url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example.org',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });

test('the preflight of a page says what to set when no origin is allowed, and the log says it once', async () => {
  for (let time = 0; time < 3; time += 1) {
    const response = await preflight(system.url);
    expect(response.status).toBe(405);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(await response.json()).toMatchObject({
      errors: [{ message: expect.stringContaining('Set CORS_ORIGINS to the origins of your pages') as string }],
    });
  }
  expect(lines.filter((line) => line.includes('CORS_ORIGINS'))).toHaveLength(1);
});

test('another OPTIONS request is no preflight', async () => {
  const response = await fetch(`${system.url}/graphql`, { method: 'OPTIONS' });
  expect(response.status).toBe(405);
  expect(await response.text()).toContain('is not supported at this address: use GET or POST');
});
