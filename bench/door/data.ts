import { Types } from 'mongoose';
import { createModels, ensureIndexes, RevocationKind, type Models } from '../../models/index.js';
import type { App } from '../../src/app.js';
import { connectDatabase } from '../../src/storage/database.js';
import { createOrganizationScopes } from '../../src/scope/organization-scope.js';
import { patientIds } from '../jobs/setup.js';
import { unprotected } from './without.js';

/** Gives every other patient a care team of two. */
export async function giveCareTeams(models: Models, patients: number, member: string): Promise<void> {
  const ids = (await patientIds(models, patients))
    .filter((_, index) => index % 2 === 0)
    .map((id) => new Types.ObjectId(id));
  await models.patients.collection.updateMany({ _id: { $in: ids } }, { $set: { careTeam: [member, 'colleague'] } });
}

/** Revokes sessions that no client uses, as many as in a busy hour. */
export async function revokeSessions({ identity }: App, organizationId: string, count: number): Promise<void> {
  const subjects = Array.from({ length: count }, () => ({
    kind: RevocationKind.SESSION,
    subject: new Types.ObjectId().toHexString(),
  }));
  await identity.revocations.revoke(new Types.ObjectId(organizationId), subjects);
}

/**
 * Copies the patients of an app to another database in plain text. Call it after a server has started on that database:
 * its start would encrypt them.
 */
export async function copyPatientsInClear({ scopeOf }: App, organizationId: string, uri: string): Promise<void> {
  const connection = await connectDatabase(uri);
  const { edges } = await scopeOf({ organizationId }).patients.page({ first: 500 }, {});
  await createOrganizationScopes(
    createModels(connection),
    unprotected,
  )({ organizationId }).patients.insertNew(edges.map(({ node }) => node));
  await connection.close();
}

/** Copies to another database what a start or a request looks up besides patients. */
export async function copyLookups({ models }: App, uri: string): Promise<void> {
  const connection = await connectDatabase(uri);
  const copy = createModels(connection);
  await ensureIndexes(copy);
  for (const name of ['organizations', 'revocations', 'revocationEpochs', 'dataKeys'] as const) {
    await copy[name].collection.insertMany((await models[name].collection.find().toArray()) as never[]);
  }
  await connection.close();
}
