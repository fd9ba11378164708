import type { Command } from 'commander';
import type { Models, Organization } from '../../models/index.js';
import { trialSlug } from '../config/slug.js';
import { StartupError } from '../errors.js';
import { ensureOrganization } from '../identity/organizations.js';

/** The organization of a command without `--org`. */
export const demoOrganization = 'demo';

/** The organization that a command works for. */
export interface OrganizationOptions {
  /** The slug. Without one the command works for `demo`. */
  readonly org?: string;
  /** True: a missing organization is made. */
  readonly createOrg?: boolean;
}

/** Adds the options of `OrganizationOptions` to a command. */
export const organizationOptions = (command: Command, description: string): Command =>
  command
    .option('--org <slug>', `${description} (default: ${demoOrganization}, which is made when it is missing)`)
    .option('--create-org', 'make the organization of --org when it is missing');

/**
 * Makes an organization that an operator has named, if it is missing.
 * @throws StartupError for a name of trials, whose organizations are removed
 */
export async function makeOrganization(models: Models, slug: string): Promise<Organization> {
  if (trialSlug.test(slug))
    throw new StartupError(
      `"${slug}" is a name for trials of "riskgraph verify", which removes them: choose another one.`,
    );
  return ensureOrganization(models, slug);
}

/**
 * Finds the organization that a command works for. A missing one is made only when the caller asks for it, so that a
 * typing error makes none. `demo` is made when no organization is named.
 * @throws StartupError when there is no such organization
 */
export async function requireOrganization(
  models: Models,
  { org, createOrg = false }: OrganizationOptions,
): Promise<Organization> {
  if (org === undefined || createOrg) return makeOrganization(models, org ?? demoOrganization);
  const found = await models.organizations.findOne({ slug: org }).lean<Organization>();
  if (found) return found;
  throw new StartupError(`There is no organization "${org}": check --org, or make it with --create-org.`);
}
