import { Command } from 'commander';
import type { Models } from '../../models/index.js';
import { shippedModelsDirectory } from '../app.js';
import { recorded } from '../audit/audit-trail.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { createOrganizationScopes } from '../scope/organization-scope.js';
import { loadRiskModels } from '../risk/registry.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { commandConfig, wholeNumber } from './environment.js';
import { connectLocalDatabase, createOption } from './local-access.js';
import {
  makeOrganization,
  organizationOptions,
  requireOrganization,
  type OrganizationOptions,
} from './organization-options.js';
import { syntheticPatients } from './synthetic-patients.js';

interface SeedOptions extends OrganizationOptions {
  readonly patients: number;
  readonly seed: number;
  readonly create?: boolean;
}

const patientsPerWrite = 1_000;

/** `riskgraph seed`: writes invented patients, to try the system. */
export function seedCommand(): Command {
  return organizationOptions(
    new Command('seed').description(
      'write synthetic patients (the same for the same --seed; existing ones are not changed)',
    ),
    'organization',
  )
    .option(...createOption)
    .option('--patients <number>', 'number of patients', wholeNumber(1, 1_000_000), 20)
    .option('--seed <number>', 'number that decides which patients are invented', wholeNumber(0, 1_000_000), 1)
    .action(async ({ patients, seed, create, ...organization }: SeedOptions) => {
      const config = commandConfig();
      if (config.environment === 'production')
        throw new StartupError(
          '"riskgraph seed" writes invented patients, so it is refused when NODE_ENV=production: use it on a set-up to ' +
            'try RiskGraph with.',
        );
      const database = await connectLocalDatabase(config, { create });
      try {
        const { slug } = await requireOrganization(database.models, organization);
        const written = await seedPatients(config, database.models, { count: patients, seed, organization: slug });
        process.stdout.write(
          `${written} synthetic patients written to ${slug}, ${patients - written} already existed\n`,
        );
      } finally {
        await database.close();
      }
    });
}

/**
 * Writes synthetic patients in rounds. Each round is recorded before its patients are written.
 * @returns how many were new
 */
export async function seedPatients(
  config: Config,
  models: Models,
  { count, seed, organization }: { readonly count: number; readonly seed: number; readonly organization: string },
): Promise<number> {
  const tenant = await makeOrganization(models, organization);
  const loaded = await loadRiskModels(config.riskModelsDirectory ?? shippedModelsDirectory());
  const features = new Map(
    loaded.flatMap(({ model: { manifest } }) => manifest.features.map((feature) => [feature.code, feature])),
  );
  await Promise.all(loaded.map(({ model }) => model.close()));
  const patients = syntheticPatients(count, seed, [...features.values()], new Date());
  return withCommandTrail(config, models, 'seed', async ({ audit, protection: { protectionOf } }) => {
    const organizationId = tenant._id.toHexString();
    const records = createOrganizationScopes(models, protectionOf)({ organizationId }).patients;
    const actor = commandActor(organizationId);
    let written = 0;
    for (let start = 0; start < patients.length; start += patientsPerWrite) {
      const fresh = await records.withFreeMrn(patients.slice(start, start + patientsPerWrite));
      if (fresh.length === 0) continue;
      written += await recorded(
        audit,
        actor,
        { action: 'patient:write', patientIds: fresh.map(({ _id }) => _id.toHexString()) },
        () => records.insertNew(fresh),
      );
    }
    return written;
  });
}
