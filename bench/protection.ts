/* eslint-disable no-console -- a benchmark prints */
import 'reflect-metadata';
import { createSecretKey, randomBytes } from 'node:crypto';
import { Types } from 'mongoose';
import { startApi, type ApiParts } from '../src/api.js';
import { createApp, type App } from '../src/app.js';
import { ensureOrganization } from '../src/identity/organizations.js';
import { syntheticPatients } from '../src/commands/synthetic-patients.js';
import { loadConfig } from '../src/config/config.js';
import { createLogger } from '../src/process/logger.js';
import { createOrganizationScopes } from '../src/scope/organization-scope.js';
import { createPatientService } from '../src/patients/patient-service.js';
import { createPatientUpsert } from '../src/patients/upsert-patients.js';
import { blindIndex } from '../src/protection/blind-index.js';
import { createFieldCipher } from '../src/protection/field-cipher.js';
import type { ProtectionOf } from '../src/protection/protection.js';
import { Role } from '../models/index.js';
import { median, startBenchSystem } from './jobs/setup.js';

// Measures the cost of encryption: microseconds per field, and milliseconds per page of 500 patients through the API.
// It is compared with the same server on a database with fields in plain text. Both servers run in this process and
// take turns.
const rounds = Number(process.argv[2] ?? 9);
const pagesARound = Number(process.argv[3] ?? 40);
const pageSize = 500;

measureFields();
const system = await startBenchSystem(0);
try {
  const clear = await createClearApp();
  const servers = [];
  for (const app of [system.app, clear]) {
    const organization = await ensureOrganization(app.models, 'bench');
    const features = app.registry.list()[0]!.manifest.features;
    await app
      .scopeOf({ organizationId: organization._id.toHexString() })
      .patients.insertNew(syntheticPatients(pageSize, 1, features, new Date()));
    const token = await app.accessTokens.sign(
      { username: 'bench', role: Role.CLINICIAN, organizationId: organization._id.toHexString() },
      3600,
    );
    servers.push({ server: await startApi(app), token });
  }
  const [encrypted, plain] = servers as [(typeof servers)[0], (typeof servers)[0]];
  for (const [what, fields] of Object.entries({
    'names, MRN and birth date': 'id mrn givenName familyName birthDate',
    'everything, features too':
      'id mrn givenName familyName birthDate sex version createdAt features { code value unit }',
    'MRN and family name': 'id mrn familyName',
    'nothing encrypted': 'id sex version createdAt',
  })) {
    const times: { encrypted: number[]; plain: number[] } = { encrypted: [], plain: [] };
    for (let round = 0; round <= rounds; round += 1) {
      const [one, other] = [await pageTime(encrypted, fields), await pageTime(plain, fields)];
      // The first round warms up.
      if (round === 0) continue;
      times.encrypted.push(one);
      times.plain.push(other);
    }
    const [one, other] = [median(times.encrypted), median(times.plain)];
    console.log(
      `page of ${pageSize}, ${what}: encrypted ${one.toFixed(2)} ms, plain ${other.toFixed(2)} ms, ` +
        `${(one - other).toFixed(2)} ms more (${((100 * one) / other - 100).toFixed(0)} %)`,
    );
  }
  for (const { server } of servers) await server.close();
  await clear.close();
} finally {
  await system.close();
}
process.exit(0);

function measureFields(): void {
  const dataKey = { id: randomBytes(12), key: createSecretKey(randomBytes(32)) };
  const cipher = createFieldCipher(randomBytes(12), () => dataKey.key);
  const [document, field] = [randomBytes(12), 'patients.familyName'] as const;
  const sealed = cipher.encrypt(dataKey, document, field, 'Lovelace');
  console.log(
    `one field: encrypted in ${microseconds(() => cipher.encrypt(dataKey, document, field, 'Lovelace'))} µs, ` +
      `decrypted in ${microseconds(() => cipher.decrypt(document, field, sealed))} µs, indexed in ` +
      `${microseconds(() => blindIndex(dataKey.key, field, 'Lovelace'))} µs; stored in ${sealed.length} bytes ` +
      'instead of 8',
  );
}

/** Measures the microseconds of one call: the median of ten times 20,000. */
function microseconds(work: () => unknown): string {
  const calls = 20_000;
  const times = Array.from({ length: 11 }, () => {
    const start = performance.now();
    for (let call = 0; call < calls; call += 1) work();
    return (1000 * (performance.now() - start)) / calls;
  });
  return median(times.slice(1)).toFixed(2);
}

/** Measures the milliseconds per page: the median of a round. */
async function pageTime(
  { server, token }: { server: { url: string }; token: string },
  fields: string,
): Promise<number> {
  const body = JSON.stringify({ query: `{ patients(first: ${pageSize}) { edges { node { ${fields} } } } }` });
  const times: number[] = [];
  for (let page = 0; page < pagesARound; page += 1) {
    const start = performance.now();
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    });
    const text = await response.text();
    times.push(performance.now() - start);
    if (text.startsWith('{"errors"') || text.length < 10_000) throw new Error(text.slice(0, 500));
  }
  return median(times);
}

/** Makes the same application on a separate database, with every field in plain text. */
async function createClearApp(): Promise<ApiParts & Pick<App, 'accessTokens' | 'close'>> {
  const uri = new URL(system.environment.MONGO_URI!);
  uri.pathname = '/clear';
  const app = await createApp(
    loadConfig({ ...system.environment, MONGO_URI: uri.href, REDIS_PREFIX: 'clear' }),
    createLogger('error', 'bench'),
  );
  const dataKey = new Types.ObjectId();
  const unprotected: ProtectionOf = () => ({
    writer: async () => ({
      dataKey,
      seal: (_document, _field, text) => text as never,
      blindIndex: (_field, value) => value,
      derivedKey: () => Buffer.alloc(32),
    }),
    reader: async () => (_document, _field, text) => text as unknown as string,
    keyOf: () => undefined,
    protect: async () => Promise.reject(new Error('not measured')),
    reveal: async () => Promise.reject(new Error('not measured')),
  });
  const scopeOf = createOrganizationScopes(app.models, unprotected);
  const { audit, catalogue } = app;
  return {
    ...app,
    scopeOf,
    upsertPatients: createPatientUpsert({ scopeOf, audit, catalogue }).upsert,
    patients: createPatientService({
      scopeOf,
      audit,
      catalogue,
      erase: async () => undefined,
      latestConditions: async () => ({ condition: {} }),
    }),
    close: () => app.close(),
  };
}
