import type { Role, Models, Organization, User } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { isSlug, slugRule } from '../config/slug.js';

/**
 * Finds the organization of a slug, and creates it if it is missing. Only the command line uses this: callers of the
 * API cannot create organizations.
 * @throws StartupError when the slug is not 1 to 40 of a-z, 0-9 and inner hyphens
 */
export async function ensureOrganization(models: Models, slug: string): Promise<Organization> {
  if (!isSlug(slug)) throw new StartupError(`The organization "${slug}" is not a valid name: use ${slugRule}.`);
  return models.organizations
    .findOneAndUpdate(
      { slug },
      { $setOnInsert: { slug, name: slug, createdAt: new Date() } },
      { upsert: true, returnDocument: 'after' },
    )
    .lean<Organization>()
    .orFail();
}

/**
 * Finds the local user of a role, e.g. `local-clinician`, and creates it if missing. The command `token` signs for it.
 */
export async function ensureLocalUser(models: Models, organization: Organization, role: Role): Promise<User> {
  const username = `local-${role.toLowerCase()}`;
  return models.users
    .findOneAndUpdate(
      { organization: organization._id, username },
      { $setOnInsert: { role, createdAt: new Date() } },
      { upsert: true, returnDocument: 'after' },
    )
    .lean<User>()
    .orFail();
}
