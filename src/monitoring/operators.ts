import type { Models } from '../../models/index.js';
import type { Identity } from '../auth/viewer.js';

/**
 * Tells whether a caller is of the organization of the operators (QUEUE_PAGE_ORGANIZATION), who may see what belongs to
 * all organizations.
 */
export async function isOperator(
  { organizations }: Pick<Models, 'organizations'>,
  slug: string | undefined,
  { organizationId }: Pick<Identity, 'organizationId'>,
): Promise<boolean> {
  if (slug === undefined) return false;
  const operators = await organizations.findOne({ slug }, { _id: 1 }).lean<{ _id: { toHexString(): string } }>();
  return operators?._id.toHexString() === organizationId;
}
