import { expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { clientError } from '../../src/http/request-errors.js';
import { rawRequest, sendRaw } from '../support/raw-http.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

const canary = 'Xylophone-Quince';
const json = { 'Content-Type': 'application/json' };
const authorization = { Authorization: `Bearer ${await system.token('CLINICIAN')}` };
const notJson =
  'body: is not valid JSON, or has a key that no request needs (__proto__, constructor): send one JSON object in ' +
  'UTF-8, not compressed';
const typeOf = (type: string): string => rawRequest('POST', '/graphql', { 'Content-Type': type }, canary);
const unreadable =
  'request: is not HTTP/1.1 that this server understands: check its first line, its headers and the length of its body';

/** Each request, and the status, code, field and message of its answer. */
const refused: [string, string, number, `${ErrorCode}`, string | undefined, string][] = [
  [
    'a form',
    typeOf('application/x-www-form-urlencoded'),
    415,
    'BAD_USER_INPUT',
    'content-type',
    'content-type: is not supported: send JSON with "content-type: application/json"',
  ],
  [
    'a form with files',
    typeOf('multipart/form-data; boundary=x'),
    415,
    'BAD_USER_INPUT',
    'content-type',
    'content-type: is not supported: send JSON with "content-type: application/json"',
  ],
  [
    'no type',
    rawRequest('POST', '/graphql', {}, canary),
    415,
    'BAD_USER_INPUT',
    'content-type',
    'content-type: is not supported: send JSON with "content-type: application/json"',
  ],
  [
    'no type that there can be',
    typeOf(`;;${canary}`),
    415,
    'BAD_USER_INPUT',
    'content-type',
    'content-type: is not supported: send JSON with "content-type: application/json"',
  ],
  [
    'half of a JSON',
    rawRequest('POST', '/graphql', json, `{"query":"${canary}`),
    400,
    'BAD_USER_INPUT',
    'body',
    notJson,
  ],
  [
    'a prototype',
    rawRequest('POST', '/graphql', json, `{"__proto__":{"a":"${canary}"}}`),
    400,
    'BAD_USER_INPUT',
    'body',
    notJson,
  ],
  [
    'an empty JSON',
    rawRequest('POST', '/graphql', { ...json, 'Content-Length': '0' }),
    400,
    'BAD_USER_INPUT',
    'body',
    'body: is empty: send a JSON object with a query',
  ],
  [
    'more than is read',
    rawRequest('POST', '/graphql', { ...json, ...authorization, 'Content-Length': '4194305' }),
    413,
    'BAD_USER_INPUT',
    'body',
    'body: is larger than 4194304 bytes: split the request',
  ],
  [
    'more than is read without a token',
    rawRequest('POST', '/graphql', { ...json, 'Content-Length': '65537' }),
    413,
    'BAD_USER_INPUT',
    'body',
    'body: is larger than 65536 bytes, the most of a request without a valid token: send one',
  ],
  [
    'a length that is none',
    rawRequest('POST', '/graphql', { ...json, 'Content-Length': canary }, '{}'),
    400,
    'BAD_USER_INPUT',
    'request',
    unreadable,
  ],
  ['a method that there is not', rawRequest('QUINCE', '/graphql'), 400, 'BAD_USER_INPUT', 'request', unreadable],
  ['no HTTP', `${canary}\r\n\r\n`, 400, 'BAD_USER_INPUT', 'request', unreadable],
  [
    'endless headers',
    rawRequest('GET', '/graphql', { 'X-Long': canary.repeat(2_000) }),
    431,
    'BAD_USER_INPUT',
    'headers',
    'headers: are larger than 16384 bytes together with the address: send fewer, and send a long query with POST ' +
      '/graphql',
  ],
  [
    'an address that is not encoded right',
    rawRequest('GET', `/%zz${canary}`),
    400,
    'BAD_USER_INPUT',
    'url',
    'url: is not encoded as a URL: encode % as %25',
  ],
  [
    'an address where there is nothing',
    rawRequest('GET', `/people/${canary}`),
    404,
    'NOT_FOUND',
    undefined,
    'There is nothing at this address: GraphQL is at /graphql.',
  ],
  [
    'another method',
    rawRequest('PUT', `/graphql?${canary}`, json, '{}'),
    405,
    'BAD_USER_INPUT',
    'method',
    'method: is not supported at this address: use GET or POST',
  ],
  [
    'a method that health does not know',
    rawRequest('POST', '/health', json, '{}'),
    405,
    'BAD_USER_INPUT',
    'method',
    'method: is not supported at this address: use GET',
  ],
];

test.each(refused)('%s is refused by name, reason and remedy', async (_name, bytes, status, code, path, message) => {
  const answer = await sendRaw(system.url, bytes);
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  const fields = path === undefined ? {} : { fields: [{ path, message: message.slice(path.length + 2) }] };
  const extensions = { code, requestId: expect.any(String), ...fields };
  expect(JSON.parse(answer.body)).toEqual({ errors: [{ message, extensions }] });
  expect(answer.body).not.toContain(canary);
});

test('the answer to another method names the allowed methods', async () => {
  expect((await sendRaw(system.url, rawRequest('DELETE', '/graphql'))).headers.allow).toBe('GET, POST');
  expect((await sendRaw(system.url, rawRequest('DELETE', '/metrics'))).headers.allow).toBe('GET');
});

test('a request that is not complete in time gets an error that says so', () => {
  // Over a socket this would take a minute.
  expect(clientError({ code: 'ERR_HTTP_REQUEST_TIMEOUT' })).toMatchObject({
    status: 408,
    error: {
      message:
        'request: did not arrive completely within 60 seconds, its headers within 15: send it again, in smaller parts over a slow line',
    },
  });
});
