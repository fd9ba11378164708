import type { Types } from 'mongoose';
import type { AuditHead, Models } from '../../models/index.js';

/**
 * Examines a chain against its head. Archiving may remove events while they are read: then head and chain are read again.
 * @param examine gives the result, and whether it is sound. One that is not counts only if nothing was archived meanwhile
 */
export async function againstHead<T>(
  { auditHeads }: Pick<Models, 'auditHeads'>,
  organization: Types.ObjectId,
  examine: (head: AuditHead | null) => Promise<{ readonly result: T; readonly isSound: boolean }>,
): Promise<T> {
  const readHead = () => auditHeads.findById(organization).lean<AuditHead>();
  for (let head = await readHead(); ;) {
    const { result, isSound } = await examine(head);
    if (isSound) return result;
    const now = await readHead();
    if (now?.archived?.sequence === head?.archived?.sequence) return result;
    head = now;
  }
}
