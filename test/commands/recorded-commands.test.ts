import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Role, type AuditEvent } from '../../models/index.js';
import { auditKeys } from '../../src/audit/audit-writer.js';
import { verifyChains } from '../../src/audit/verify-chains.js';
import { seedPatients } from '../../src/commands/seed.js';
import { issueLocalToken } from '../../src/commands/local-access.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { startProtection } from '../../src/protection/start-protection.js';
import { createUser, refusalsOf } from '../support/identity.js';
import { startSystem, testEncryptionKeys, testSecretKey } from '../support/system.js';

// The command line has the password of the database, and the keys. Its work is recorded like that of API callers.

const system = await startSystem({ worker: false });
const { config, models } = system.app;

/** Runs `riskgraph` as a developer does, while the API runs. */
async function riskgraph(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const environment = {
    NODE_ENV: 'test',
    MONGO_URI: config.mongoUri,
    SECRET_KEY: testSecretKey,
    ENCRYPTION_KEYS: testEncryptionKeys,
  };
  const child = spawnEntry(new URL('../../src/cli.js', import.meta.url), {
    args,
    environment,
    stdio: { stdout: 'pipe', stderr: 'pipe' },
  });
  let [output, errors] = ['', ''];
  child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  child.on('message', (report: { failed?: string }) => (errors += report.failed ?? ''));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output, errors };
}

const eventsOf = async (slug: string): Promise<AuditEvent[]> =>
  models.auditEvents
    .find({ organization: await system.organizationId(slug) })
    .sort({ sequence: 1 })
    .lean<AuditEvent[]>();

/** Makes the database refuse events until the test ends: a geographic index takes no address for a place on earth. */
async function refuseEvents(): Promise<void> {
  const { collection } = models.auditEvents;
  const index = await collection.createIndex(
    { address: '2dsphere' },
    { partialFilterExpression: { occurredAt: { $gt: new Date() } } },
  );
  onTestFinished(async () => void (await collection.dropIndex(index)));
}

const byCommand = { username: 'command-line', address: 'local', outcome: 'ALLOWED', flagged: false };

describe('riskgraph token', () => {
  // Shows: 164.312(b)
  test('gives a token for a new organization, and records that there', async () => {
    const { code, output } = await riskgraph('token', '--role', 'ANALYST', '--org', 'brand-new', '--create-org');
    expect(code).toBe(0);
    expect(await refusalsOf(system, output.trim().split('\n').at(-1)!)).toEqual([]);
    const user = await models.users
      .findOne({ username: 'local-analyst', organization: await system.organizationId('brand-new') })
      .orFail();
    expect(await eventsOf('brand-new')).toMatchObject([
      { ...byCommand, action: 'access-token:issue', subject: { kind: 'USER', id: user.id as string }, patients: [] },
    ]);
  });

  // Shows: 164.312(b)
  test('gives no token that it cannot record', async () => {
    await system.organizationId('known');
    await refuseEvents();
    const { code, output, errors } = await riskgraph('token', '--role', 'CLINICIAN', '--org', 'known');
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(errors).toContain('The audit trail cannot be written');
    expect(await eventsOf('known')).toEqual([]);
  });
});

describe('riskgraph seed', () => {
  const seed = (count: number): Promise<number> =>
    seedPatients(config, models, { count, seed: 1, organization: 'seeded' });

  // Shows: 164.312(b)
  test('records the patients that it writes, and no others', async () => {
    expect(await seed(3)).toBe(3);
    const ids = async (): Promise<string[]> =>
      (await models.patients.find({ organization: await system.organizationId('seeded') }))
        .map(({ id }) => id as string)
        .sort();
    const first = await ids();
    expect((await eventsOf('seeded')).map(({ patients }) => patients.map(String).sort())).toEqual([first]);
    expect(await seed(3)).toBe(0);
    expect(await eventsOf('seeded')).toHaveLength(1);
    expect(await seed(5)).toBe(2);
    const events = await eventsOf('seeded');
    expect(events).toMatchObject([1, 2].map(() => ({ ...byCommand, action: 'patient:write' })));
    expect(events[1]!.patients.map(String).sort()).toEqual((await ids()).filter((id) => !first.includes(id)));
  });

  test('writes no patient that it cannot record', async () => {
    const before = await system.counts();
    await refuseEvents();
    await expect(seed(7)).rejects.toThrow('The audit trail cannot be written');
    expect(await system.counts()).toEqual(before);
  });
});

describe('users', () => {
  // Shows: 164.312(b)
  test('riskgraph user list is recorded, and lists no user when it cannot be', async () => {
    await createUser(system, { organization: 'listed', username: 'bea' });
    const known = (await eventsOf('listed')).length;
    expect((await riskgraph('user', 'list', '--org', 'listed')).output).toContain('bea');
    expect((await eventsOf('listed')).slice(known)).toMatchObject([
      { ...byCommand, action: 'user:manage', patients: [] },
    ]);
    await refuseEvents();
    const { code, output } = await riskgraph('user', 'list', '--org', 'listed');
    expect({ code, output }).toEqual({ code: 1, output: '' });
  });

  test.each(['users', 'apiKeys'])(
    "an administrator's query of %s is recorded, and shows nothing when it cannot be",
    async (field) => {
      const admin = await system.token('ADMIN', field.toLowerCase());
      const query = `{ ${field} { edges { node { id } } } }`;
      expect((await system.post(query, undefined, admin)).errors).toBeUndefined();
      expect(await eventsOf(field.toLowerCase())).toMatchObject([
        { username: 'the-admin', action: field === 'users' ? 'user:manage' : 'api-key:manage', outcome: 'ALLOWED' },
      ]);
      await refuseEvents();
      expect((await system.post(query, undefined, admin)).errors![0]!.extensions!.code).toBe('SERVICE_UNAVAILABLE');
    },
  );
});

test('the audit chains that commands and the API write together are whole', async () => {
  await issueLocalToken(config, models, { role: Role.ADMIN, organization: { org: 'listed' }, timeToLiveSeconds: 60 });
  const { protectionOf } = await startProtection({ models, masterKeys: config.masterKeys });
  for await (const { slug, failures } of verifyChains(models, auditKeys(protectionOf)))
    expect(failures, slug).toEqual([]);
});

describe('riskgraph search', () => {
  // Shows: 164.312(b)
  test('switches prefix search for one organization, records and flags that, and shows what is left to do', async () => {
    await seedPatients(config, models, { count: 3, seed: 7, organization: 'searched' });
    const before = (await eventsOf('searched')).length;
    const on = await riskgraph('search', 'on', '--org', 'searched');
    expect(on.code, on.errors).toBe(0);
    expect(on.output).toContain('Prefix search is on for "searched". Workers carry it out');
    expect((await riskgraph('search', 'status')).output).toContain('searched: on, 0 of 3 patients');
    expect((await riskgraph('search', 'off', '--org', 'searched')).code).toBe(0);
    const switched = { ...byCommand, action: 'patient-search:switch', patients: [] };
    expect((await eventsOf('searched')).slice(before)).toMatchObject([{ ...switched, flagged: true }, switched]);
    expect(await models.organizations.countDocuments({ prefixSearch: true })).toBe(0);
  });

  test('makes no organization, and switches nothing that it cannot record', async () => {
    expect(await riskgraph('search', 'on', '--org', 'misspelt')).toMatchObject({ code: 1 });
    expect(await models.organizations.countDocuments({ slug: 'misspelt' })).toBe(0);
    await refuseEvents();
    expect((await riskgraph('search', 'on', '--org', 'searched')).code).toBe(1);
    expect(await models.organizations.countDocuments({ prefixSearch: true })).toBe(0);
  });
});
