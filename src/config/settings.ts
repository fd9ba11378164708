import { z } from 'zod';
import type { SettingGroup } from './setting.js';
import { accessSettings } from './settings/access.js';
import { backupSettings } from './settings/backups.js';
import { databaseSettings } from './settings/databases.js';
import { jobSettings } from './settings/jobs.js';
import { limitSettings } from './settings/limits.js';
import { monitoringSettings } from './settings/monitoring.js';
import { oidcSettings } from './settings/oidc.js';
import { retentionSettings } from './settings/retention.js';
import { secretSettings } from './settings/secrets.js';
import { serverSettings } from './settings/server.js';
import { webhookSettings } from './settings/webhooks.js';

/** Every setting, in the order and under the headings of docs/settings.md. */
export const settingGroups = [
  { title: 'Server', settings: serverSettings },
  { title: 'Traces, errors and queues', settings: monitoringSettings },
  { title: 'Databases', settings: databaseSettings },
  { title: 'Secrets', settings: secretSettings },
  { title: 'Jobs and workers', settings: jobSettings },
  { title: 'Webhooks', settings: webhookSettings },
  { title: 'Backups', settings: backupSettings },
  { title: 'Retention', settings: retentionSettings },
  { title: 'Sessions and break-glass access', settings: accessSettings },
  { title: 'Identity provider', settings: oidcSettings },
  { title: 'Limits', settings: limitSettings },
] as const satisfies readonly SettingGroup[];

type KnownSetting = (typeof settingGroups)[number]['settings'][number];

/**
 * The table of settings. Parsing, `Config`, docs/settings.md and the list in docker-compose.yml are all made from it.
 */
export const settings = settingGroups.flatMap((group): readonly KnownSetting[] => group.settings);

/** The place of a setting in `Config`: `port` or, within a part, `queryLimits.depth`. */
type Key = KnownSetting['key'];
type PartOf<Place> = Place extends `${infer Part}.${string}` ? Part : never;
type ValueAt<Place> = z.output<Extract<KnownSetting, { key: Place }>['schema']>;

/** The values of the settings, by their keys. */
export type SettingValues = {
  readonly [Place in Exclude<Key, `${string}.${string}`>]: ValueAt<Place>;
} & {
  readonly [Part in PartOf<Key>]: {
    readonly [Place in Key as Place extends `${Part}.${infer Field}` ? Field : never]: ValueAt<Place>;
  };
};

/** The schema of the environment's variables. */
export const environmentSchema = z.object(
  Object.fromEntries(settings.map(({ name, schema }) => [name, schema])) as {
    [Each in KnownSetting as Each['name']]: Each['schema'];
  },
);

/** Puts the values of the variables where `Config` has them. */
export function valuesByKey(variables: z.output<typeof environmentSchema>): SettingValues {
  const values: Record<string, unknown> = {};
  for (const { name, key } of settings) {
    const [place, field] = key.split('.') as [string, string?];
    if (field === undefined) values[place] = variables[name];
    else values[place] = { ...(values[place] as object | undefined), [field]: variables[name] };
  }
  return values as SettingValues;
}
