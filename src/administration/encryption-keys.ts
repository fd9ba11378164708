import { Types } from 'mongoose';
import type { KeyRotation, Models } from '../../models/index.js';
import { recorded, type AuditTrail } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { NotFoundError } from '../errors.js';
import { dataKeyStatus, type DataKeyStatus } from '../protection/key-status.js';
import { requestRotations } from '../protection/request-rotations.js';

/** The data keys of one organization, and its newest rotation. */
interface EncryptionStatus {
  readonly keys: readonly DataKeyStatus[];
  readonly rotation: KeyRotation | null;
}

/** The keys that encrypt the patient data of the viewer's organization. */
export interface EncryptionKeys {
  /** Counts what each key encrypts. @throws ForbiddenError */
  status(viewer: Viewer | null): Promise<EncryptionStatus>;
  /**
   * Requests a new data key. Workers then encrypt all data again. While a rotation is under way, a call gives that one.
   * @throws ForbiddenError; NotFoundError when the organization has no data key yet
   */
  rotate(viewer: Viewer | null): Promise<KeyRotation>;
}

interface EncryptionKeysDependencies {
  readonly models: Models;
  readonly audit: AuditTrail;
  /** The master key that wraps new data keys. */
  readonly masterKeyId: string;
}

export function createEncryptionKeys({ models, audit, masterKeyId }: EncryptionKeysDependencies): EncryptionKeys {
  return {
    async status(viewer) {
      authorize(viewer, 'encryption-key:rotate');
      const organization = new Types.ObjectId(viewer.organizationId);
      const [keys, rotation] = await Promise.all([
        dataKeyStatus(models, organization),
        models.keyRotations.findOne({ organization }).sort({ _id: -1 }).lean<KeyRotation>(),
      ]);
      return { keys, rotation };
    },
    async rotate(viewer) {
      authorize(viewer, 'encryption-key:rotate');
      const organization = new Types.ObjectId(viewer.organizationId);
      const [id] = await requestRotations(models, masterKeyId, [organization], ({ _id }, work) =>
        recorded(
          audit,
          viewer,
          { action: 'encryption-key:rotate', subject: { kind: 'ENCRYPTION_KEY', id: _id.toHexString() } },
          work,
        ),
      );
      const rotation = id && (await models.keyRotations.findById(id).lean<KeyRotation>());
      if (!rotation) throw new NotFoundError('A data key');
      return rotation;
    },
  };
}
