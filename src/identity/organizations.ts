import type { Role, Models, Organization, User } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { isSlug, slugRule } from '../config/slug.js';

/**
 * The organization of a slug, made when missing. For the command line only: callers of the API cannot make tenants.
 * @throws StartupError when the slug is not 1 to 40 of a-z, 0-9 and inner hyphens
 */
export async function ensureOrganization(models: Models, slug: string): Promise<Organization> {
  if (!isSlug(slug)) throw new StartupError(`The organization "${slug}" is not a slug: use ${slugRule}.`);
  return models.organizations
    .findOneAndUpdate(
      { slug },
      { $setOnInsert: { slug, name: slug, createdAt: new Date() } },
      { upsert: true, returnDocument: 'after' },
    )
    .lean<Organization>()
    .orFail();
}

/** The local user of a role, e.g. `local-clinician`, made when missing; `token` signs for it. */
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
