import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import { httpUrl, listOf, text, wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** Backups: where they are kept, who can open them, and when they are made. */
export const backupSettings = [
  {
    name: 'BACKUP_TARGET',
    key: 'backup.target',
    schema: text.optional(),
    description:
      'Where [backups](operations.md#backup) are kept: a folder, or `s3://bucket/prefix`. With it, workers make them as ' +
      '`BACKUP_SCHEDULE` says',
  },
  {
    name: 'BACKUP_RECIPIENTS',
    key: 'backup.recipients',
    schema: listOf(
      z.string().regex(/^age1[0-9a-z]+$/, 'must be public keys of age (age1...), with commas between them'),
    ).default([]),
    description: 'Public keys to which backups are encrypted. Each of their private keys opens them',
  },
  {
    name: 'BACKUP_IDENTITY',
    key: 'backup.identity',
    secret: true,
    comments: true,
    schema: z.string().optional(),
    description:
      'The private key (`AGE-SECRET-KEY-1...`) that opens backups. Where workers have it, they try each backup by a ' +
      'restore. It is in no backup: keep a copy elsewhere',
  },
  {
    name: 'BACKUP_SCHEDULE',
    key: 'backup.schedule',
    schema: z
      .string()
      .refine(isSchedule, 'must be five fields of cron, or six with the seconds first, e.g. "0 2 * * *"')
      .default('0 2 * * *'),
    description: 'Times of the backups, as cron writes them, by UTC. What is lost at most is the time between two',
  },
  {
    name: 'BACKUP_S3_ENDPOINT',
    key: 'backup.s3Endpoint',
    schema: httpUrl('https://s3.hospital.local')
      .refine((url) => !/^https?:\/\/[^/?#]*@/.test(url), 'takes no user: set BACKUP_S3_ACCESS_KEY_ID')
      .optional(),
    description: 'Address of what speaks S3. Default: that of AWS in `BACKUP_S3_REGION`',
  },
  {
    name: 'BACKUP_S3_REGION',
    key: 'backup.s3Region',
    schema: text.default('us-east-1'),
    description: 'Region of the bucket',
  },
  {
    name: 'BACKUP_S3_ACCESS_KEY_ID',
    key: 'backup.s3AccessKeyId',
    schema: text.optional(),
    description: 'Key of access to the bucket',
  },
  {
    name: 'BACKUP_S3_SECRET_ACCESS_KEY',
    key: 'backup.s3SecretAccessKey',
    secret: true,
    schema: text.optional(),
    description: 'Its secret',
  },
  {
    name: 'BACKUP_KEEP_DAILY',
    key: 'backup.keepDaily',
    schema: wholeNumber(0, 3_650).default(7),
    description: 'Days whose newest backup is kept',
  },
  {
    name: 'BACKUP_KEEP_WEEKLY',
    key: 'backup.keepWeekly',
    schema: wholeNumber(0, 520).default(5),
    description: 'Weeks whose newest backup is kept',
  },
  {
    name: 'BACKUP_KEEP_MONTHLY',
    key: 'backup.keepMonthly',
    schema: wholeNumber(0, 1_200).default(12),
    description: 'Months whose newest backup is kept',
  },
] as const satisfies readonly Setting[];

function isSchedule(schedule: string): boolean {
  try {
    CronExpressionParser.parse(schedule);
    return /^\S+(\s+\S+){4,5}$/.test(schedule.trim());
  } catch {
    return false;
  }
}
