import { randomBytes } from 'node:crypto';
import mongoose, { Types } from 'mongoose';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { AdministrativeGender, createModels, ensureIndexes, type Models } from '../../models/index.js';
import { connectDatabase } from '../../src/storage/database.js';
import { createOrganizationScopes, type OrganizationScope, type ScopeOf } from '../../src/scope/organization-scope.js';
import type { Patient } from '../../src/scope/patient.js';
import { createKeyRotations, type KeyRotations } from '../../src/protection/key-rotations.js';
import { parseMasterKeys, type MasterKey } from '../../src/protection/master-keys.js';
import { startProtection, type StartedProtection } from '../../src/protection/start-protection.js';
import { namespace } from './namespace.js';

/** A setting of ENCRYPTION_KEYS with a random key for each id. */
export const randomMasterKeys = (...ids: string[]): string[] =>
  ids.map((id) => `${id}:${randomBytes(32).toString('hex')}`);

/** Master keys of such settings, the current one first. */
export const masterKeysOf = (...settings: string[]): MasterKey[] => parseMasterKeys(settings.join(',')).keys;

/** A database of the test's own, with indexes. Closed when the test ends. */
export async function testDatabase(uri = namespace().mongoUri): Promise<Models> {
  const connection = await connectDatabase(uri);
  onTestFinished(() => connection.close());
  const models = createModels(connection);
  await ensureIndexes(models);
  return models;
}

/** Protection of one process of a deployment, without events of other processes. */
interface ProtectedProcess extends StartedProtection {
  readonly rotations: KeyRotations;
  readonly scopeOf: ScopeOf;
  scope(organization: Types.ObjectId): OrganizationScope;
}

export async function protectedProcess(models: Models, ...settings: string[]): Promise<ProtectedProcess> {
  const protection = await startProtection({ models, masterKeys: masterKeysOf(...settings) });
  const scopeOf = createOrganizationScopes(models, protection.protectionOf);
  return {
    ...protection,
    rotations: createKeyRotations({ models, protection, leaseMs: 60_000, logger: pino({ enabled: false }) }),
    scopeOf,
    scope: (organization) => scopeOf({ organizationId: organization.toHexString() }),
  };
}

let patients = 0;

/** A patient as a service stores it. */
export function somePatient(overrides: Partial<Patient> = {}): Omit<Patient, 'organization'> {
  patients += 1;
  const now = new Date();
  return {
    _id: new Types.ObjectId(),
    mrn: `TEST-${patients}`,
    givenName: 'Ada',
    familyName: 'Lovelace',
    birthDate: '1915-12-10',
    sex: AdministrativeGender.FEMALE,
    features: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
    ...overrides,
  };
}

/** A connection that lists the collections its commands go to. */
export async function watchedDatabase(uri: string): Promise<{ readonly models: Models; readonly asked: string[] }> {
  const connection = mongoose.createConnection(uri, { monitorCommands: true, autoIndex: false, autoCreate: false });
  onTestFinished(() => connection.close());
  await connection.asPromise();
  const asked: string[] = [];
  connection.getClient().on('commandStarted', ({ command, commandName }) => asked.push(String(command[commandName])));
  return { models: createModels(connection), asked };
}

/** Works on rotations until none is left. */
export async function rotateAll({ rotations }: ProtectedProcess, sliceMs?: number): Promise<void> {
  while (await rotations.work(sliceMs));
}
