import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { refusalsOf } from '../../support/identity.js';
import { startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.js';
import { startSystem, type System } from '../../support/system.js';

// An identity provider changes its keys without notice, and is not always reachable.

const minute = 60_000;

// Only the date is simulated, and it never goes back. Sockets, databases and timers are real.
vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
afterAll(() => void vi.useRealTimers());
const later = (milliseconds: number): void => void vi.setSystemTime(Date.now() + milliseconds);

const providers = [
  await startIdentityProvider(),
  await startIdentityProvider(),
  await startIdentityProvider(),
] as const;
afterAll(() => Promise.all(providers.map((provider) => provider.close())));
const systems = await Promise.all(
  providers.map((provider) => startSystem({ worker: false, environment: provider.environment })),
);
for (const system of systems) await system.organizationId('alpha');
const pair = (index: 0 | 1 | 2): [IdentityProvider, System] => [providers[index], systems[index]!];

describe('a key of the identity provider', () => {
  const [provider, system] = pair(0);

  // Shows: 164.312(d)
  test('that is new is accepted without a restart, and a withdrawn one is refused after a fetch', async () => {
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    const fetches = provider.fetches;
    const next = await provider.publish('key-3');
    later(minute);
    const signedByNext = (): Promise<string> => provider.token({ header: { kid: 'key-3' }, key: next });
    expect(await refusalsOf(system, await signedByNext())).toEqual([]);
    expect(provider.fetches).toBe(fetches + 1);
    // A rotation publishes both keys for a while.
    expect(await refusalsOf(system, await provider.token())).toEqual([]);

    provider.withdraw('key-1');
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    later(9 * minute);
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    later(minute);
    expect(await refusalsOf(system, await provider.token())).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, await signedByNext())).toEqual([]);
  });

  // Shows: 164.312(d)
  test('that is withdrawn is refused as soon as a token of its successor has caused a fetch', async () => {
    const last = await provider.publish('key-4');
    const next = await provider.publish('key-5');
    later(minute);
    const token = (): Promise<string> => provider.token({ header: { kid: 'key-4' }, key: last });
    expect(await refusalsOf(system, await token())).toEqual([]);
    provider.withdraw('key-4');
    provider.withdraw('key-5');
    const successor = await provider.publish('key-6');
    later(minute);
    expect(await refusalsOf(system, await provider.token({ header: { kid: 'key-6' }, key: successor }))).toEqual([]);
    expect(await refusalsOf(system, await token())).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, await provider.token({ header: { kid: 'key-5' }, key: next }))).toEqual([
      'UNAUTHENTICATED',
    ]);
  });
});

describe('while the identity provider does not hand out its keys', () => {
  test.each<[string, (provider: IdentityProvider) => void]>([
    ['while the provider answers 503', (provider) => (provider.status = 503)],
    ['while the provider answers with an HTML page', (provider) => (provider.body = '<html>sign in</html>')],
    ['while the provider answers with an invalid key set', (provider) => (provider.body = '{"keys":"none"}')],
  ])(
    'known keys still work %s, new keys get SERVICE_UNAVAILABLE, and both work when it is back',
    async (_name, breakDown) => {
      const [provider, system] = pair(1);
      expect(await refusalsOf(system, await provider.token())).toEqual([]);
      const next = await provider.publish('key-3');
      const signedByNext = (): Promise<string> => provider.token({ header: { kid: 'key-3' }, key: next });
      onTestFinished(() => provider.withdraw('key-3'));
      breakDown(provider);
      later(11 * minute);
      const fetches = provider.fetches;
      for (let request = 0; request < 5; request += 1)
        expect(await refusalsOf(system, await provider.token())).toEqual([]);
      expect(await refusalsOf(system, await signedByNext())).toEqual(['SERVICE_UNAVAILABLE']);
      expect(await refusalsOf(system, await provider.token({ claims: { aud: 'another-app' } }))).toEqual([
        'UNAUTHENTICATED',
      ]);
      // Only one request waited for the identity provider.
      expect(provider.fetches).toBe(fetches + 1);
      provider.status = 200;
      provider.body = undefined;
      later(minute);
      expect(await refusalsOf(system, await signedByNext())).toEqual([]);
      later(11 * minute);
    },
  );

  // Shows: 164.312(d)
  test('known keys are accepted for a limited time only', async () => {
    const [provider, system] = pair(2);
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    provider.status = 503;
    later(23 * 60 * minute);
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    later(61 * minute);
    expect(await refusalsOf(system, await provider.token())).toEqual(['SERVICE_UNAVAILABLE']);
    expect(await refusalsOf(system, await system.token('ANALYST'))).toEqual([]);
  });
});
