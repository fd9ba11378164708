import { afterEach, expect, test, vi } from 'vitest';
import { ConnectionError } from '../../src/client/errors.js';
import { RefusedError } from '../../web/session/refused-error.js';
import { createSession } from '../../web/session/session.js';
import { SignOutError } from '../../web/session/sign-out-error.js';
import { cookieSource } from '../../web/session/token-source.js';

const input = { organization: 'o', username: 'u', password: 'p' };
const refusal = { errors: [{ message: 'Not now.' }] };
const token = Response.json({ accessToken: 'a.b.c' });

/** Lets the server give these answers, one after the other. @returns what it is asked */
function answers(...given: (Response | Error | Promise<Response>)[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (path: string, { method }: { readonly method: string }) => {
    asked.push(`${method} ${path}`);
    const answer = await given[asked.length - 1];
    if (answer instanceof Response) return answer.clone();
    throw answer ?? new TypeError('No answer is left.');
  });
  return asked;
}
/** An answer that comes when the test gives it. */
function later() {
  let resolve: (answer: Response) => void = () => undefined;
  const promise = new Promise<Response>((done) => (resolve = done));
  return { promise, resolve };
}
afterEach(() => vi.unstubAllGlobals());

test.each([
  ['a server that is overloaded', Response.json(refusal, { status: 503 })],
  ['a caller that asks too often', Response.json(refusal, { status: 429 })],
  ['the page of a proxy', new Response('<html>', { status: 502 })],
  ['the page of a proxy that calls it a success', new Response('<html>')],
  ['nothing', new TypeError('failed')],
])('a renewal that gets %s may be tried again', async (_name, answer) => {
  answers(answer);
  await expect(cookieSource.renew()).rejects.toThrow(ConnectionError);
});

test('a renewal that is refused is over, and one without a session too', async () => {
  answers(Response.json(refusal, { status: 403 }), new Response(undefined, { status: 204 }));
  await expect(cookieSource.renew()).rejects.toThrow(new RefusedError(refusal.errors));
  expect(await cookieSource.renew()).toBeUndefined();
});

test('a sign-in that is refused for now has the words of the API', async () => {
  answers(Response.json(refusal, { status: 429 }));
  await expect(cookieSource.begin(input)).rejects.toThrow(new RefusedError(refusal.errors));
});

test.each([
  ['is refused', Response.json(refusal, { status: 503 }), 'Not now.'],
  ['gets no answer', new TypeError('failed'), 'RiskGraph does not answer: check the network.'],
])('a sign-out that %s ends the session here, and says that it lives on', async (_name, answer, why) => {
  answers(token, answer);
  const session = createSession();
  const ends: (Error | undefined)[] = [];
  session.onEnd((reason) => ends.push(reason));
  await session.signIn(input);
  const done = session.signOut();
  expect(ends).toEqual([undefined]);
  await expect(session.token()).rejects.toThrow('The session has ended');
  await done;
  expect(ends[1]).toBeInstanceOf(SignOutError);
  expect(ends[1]!.message).toBe(`The session could not be ended on the server: ${why}`);
});

test('a sign-in waits until the session before it has ended: both change the same cookie', async () => {
  const ended = later();
  const asked = answers(token, ended.promise, token);
  const session = createSession();
  await session.signIn(input);
  void session.signOut();
  const again = session.signIn(input);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toEqual(['POST /session', 'DELETE /session']);
  ended.resolve(Response.json({ ended: true }));
  await again;
  expect(asked).toHaveLength(3);
  expect(await session.token()).toBe('a.b.c');
});

test('a renewal that ends after the sign-out brings no session back', async () => {
  const renewed = later();
  const asked = answers(token, renewed.promise, Response.json({ ended: true }));
  const session = createSession();
  await session.signIn(input);
  const next = session.token('a.b.c');
  const done = session.signOut();
  renewed.resolve(Response.json({ accessToken: 'd.e.f' }));
  await expect(next).rejects.toThrow('The session has ended');
  await done;
  await expect(session.token()).rejects.toThrow('The session has ended');
  expect(asked).toEqual(['POST /session', 'POST /session/refresh', 'DELETE /session']);
});
