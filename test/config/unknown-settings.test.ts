import { expect, test } from 'vitest';
import { fileVariable, secretSettings } from '../../src/config/secret-files.js';
import { settings } from '../../src/config/settings.js';
import { unknownSettings } from '../../src/config/unknown-settings.js';

/** The names that are found in an environment, each with the setting that is named for it. */
const found = (...names: readonly string[]): string[] =>
  unknownSettings(Object.fromEntries(names.map((name) => [name, 'x']))).map(
    ({ name, nearest }) => `${name} ${nearest}`,
  );

test.each([
  ['RATE_LIMT', 'RATE_LIMIT_USER_PER_MINUTE'],
  ['RATE_LIMIT', 'RATE_LIMIT_USER_PER_MINUTE'],
  ['RATE_LIMIT_COST_PER_MINUT', 'RATE_LIMIT_COST_PER_MINUTE'],
  ['SECRET_KEYS', 'SECRET_KEY'],
  ['ENCRYPTION_KEY', 'ENCRYPTION_KEYS'],
  ['ENCRYPTION_KEY_FILE', 'ENCRYPTION_KEYS_FILE'],
  ['MONGODB_URI', 'MONGO_URI'],
  ['REDIS_URI', 'REDIS_URL'],
  ['mongo_uri', 'MONGO_URI'],
  ['TURST_PROXY', 'TRUST_PROXY'],
  ['BACKUP_RECIPIENT', 'BACKUP_RECIPIENTS'],
  ['TRUST_PROXY_FILE', 'TRUST_PROXY'],
  ['WAIVED_CHECK', 'WAIVED_CHECKS'],
])('%s is no setting, and %s is named for it', (name, nearest) => {
  expect(found(name)).toEqual([`${name} ${nearest}`]);
});

test('no setting, no file of a secret and no usual variable of a system is taken for a mistake', () => {
  const names: string[] = settings.map(({ name }) => name);
  expect(found(...names, ...secretSettings.map(fileVariable))).toEqual([]);
  expect(
    found(
      ...[
        'PATH',
        'HOME',
        'HOSTNAME',
        'USER',
        'SHELL',
        'TERM',
        'PWD',
        'OLDPWD',
        'LANG',
        'LC_ALL',
        'TZ',
        'TMPDIR',
        'EDITOR',
      ],
      ...[
        'SHLVL',
        'LOGNAME',
        'MAIL',
        'DISPLAY',
        'PAGER',
        'LS_COLORS',
        'SSH_AUTH_SOCK',
        'INVOCATION_ID',
        'JOURNAL_STREAM',
      ],
      ...[
        'NODE_OPTIONS',
        'NODE_PATH',
        'NODE_VERSION',
        'YARN_VERSION',
        'NOTIFY_SOCKET',
        'CREDENTIALS_DIRECTORY',
        'LISTEN_FDS',
      ],
      ...['npm_config_cache', 'npm_package_json', 'INIT_CWD', 'http_proxy', 'NO_PROXY', 'SSL_CERT_FILE', 'CI', '_'],
      ...[
        'KUBERNETES_PORT',
        'KUBERNETES_SERVICE_HOST',
        'REDIS_PORT',
        'REDIS_PORT_6379_TCP',
        'REDIS_SERVICE_HOST',
        'MONGO_PORT',
      ],
      ...[
        'OTEL_TRACES_SAMPLER',
        'OTEL_SERVICE_NAME',
        'OTEL_EXPORTER_OTLP_HEADERS',
        'RISKGRAPH_TOKEN',
        'RISKGRAPH_VERSION',
      ],
      ...[
        'SENTRY_RELEASE',
        'AWS_REGION',
        'AWS_ACCESS_KEY_ID',
        'UV_THREADPOOL_SIZE',
        'ORT_DISABLE_TELEMETRY',
        'LOGS_DIRECTORY',
      ],
    ),
  ).toEqual([]);
});

test('of the .env file every name that is no setting is found, and those of Compose are none of ours', () => {
  const inFile = ['COLOUR', 'SECRET_KEY', 'SERVER_NAME', 'API_MEMORY', 'BACKUP_PASSPHRASE'];
  expect(unknownSettings({ COLOUR: 'x' }, inFile).map(({ name }) => name)).toEqual(['BACKUP_PASSPHRASE', 'COLOUR']);
  expect(unknownSettings({ COLOUR: 'x' })).toEqual([]);
});
