import { text, wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

const days = wholeNumber(1, 36_500);

/** How long data are kept. */
export const retentionSettings = [
  {
    name: 'JOB_RETENTION_DAYS',
    key: 'jobRetentionDays',
    schema: wholeNumber(1, 3_650).default(90),
    description: 'Days after which finished jobs are removed or reduced. Their predictions stay',
  },
  {
    name: 'PREDICTION_RETENTION_DAYS',
    key: 'predictionRetentionDays',
    schema: days.optional(),
    description:
      'Days after the end of a job after which its predictions are removed, and the job with them. At least ' +
      'JOB_RETENTION_DAYS. Default: never',
  },
  {
    name: 'AUDIT_RETENTION_DAYS',
    key: 'auditRetentionDays',
    schema: days.optional(),
    description:
      'Days after which audit events are moved into archives, where AUDIT_ARCHIVE_DIRECTORY says where. Default: never',
  },
  {
    name: 'AUDIT_ARCHIVE_DIRECTORY',
    key: 'auditArchiveDirectory',
    schema: text.optional(),
    description: 'Folder of the archives of audit events. It exists, and all workers see the same one',
  },
] as const satisfies readonly Setting[];
