import { listOf, oneOf, origin, proxy, text, wholeNumber } from '../setting-schemas.js';
import { waivableChecks } from '../production-checks.js';
import type { Setting } from '../setting.js';

/** The process itself: its address, its log, its folders, and the callers and proxies that it trusts. */
export const serverSettings = [
  {
    name: 'NODE_ENV',
    key: 'environment',
    schema: oneOf(['development', 'production', 'test']).default('development'),
    description:
      '`development`, `production` or `test`. Production switches off Sandbox, GraphiQL, introspection and `token`, and ' +
      '[refuses](operations.md#what-a-production-start-refuses) an unsafe set-up',
  },
  {
    name: 'HOST',
    key: 'host',
    schema: text.default('127.0.0.1'),
    description: 'Address on which the API listens',
  },
  {
    name: 'PORT',
    key: 'port',
    schema: wholeNumber(0, 65_535).default(4000),
    description: 'Port of the API, for GraphQL, WebSocket, health and metrics. 0 takes a free port',
  },
  {
    name: 'METRICS_PORT',
    key: 'metricsPort',
    schema: wholeNumber(0, 65_535).optional(),
    description:
      'Port of the [health and the metrics](operations.md#health-and-metrics) of this process, apart from the API. ' +
      'Without it, a worker serves none, and the API serves its own on `PORT`. 0 takes a free port',
  },
  {
    name: 'METRICS_HOST',
    key: 'metricsHost',
    schema: text.default('127.0.0.1'),
    description: 'Address on which `METRICS_PORT` listens. Publish it to no caller: it asks for no token',
  },
  {
    name: 'LISTENING_SOCKETS',
    key: 'listeningSockets',
    schema: wholeNumber(1, 64).default(32),
    description:
      'Most new connections that the API accepts per turn of its event loop. Each takes a descriptor, a copy of the ' +
      'socket on which the API listens. More than one keeps a crowd of connections from holding up the others',
  },
  {
    name: 'LOG_LEVEL',
    key: 'logLevel',
    schema: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    description:
      'Lowest severity that is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`. The default ' +
      'of `up` is `warn`',
  },
  {
    name: 'LOG_FILE',
    key: 'logFile',
    schema: text.optional(),
    description:
      'File to which the log is appended in place of standard error. [logrotate](operations.md#the-log) may move it: ' +
      'SIGUSR1 opens it again',
  },
  {
    name: 'DATA_DIRECTORY',
    key: 'dataDirectory',
    schema: text.default('.data'),
    description: 'Folder in which `up` keeps its data',
  },
  {
    name: 'RISK_MODELS_DIRECTORY',
    key: 'riskModelsDirectory',
    schema: text.optional(),
    description: 'Folder of [model bundles](models.md). Without it, the shipped models are served',
  },
  {
    name: 'RISK_MODELS_POLL_SECONDS',
    key: 'riskModelsPollSeconds',
    schema: wholeNumber(1, 3_600).default(10),
    description:
      'Seconds between two looks for [added or retired models](models.md#new-versions-without-a-restart). A message ' +
      'tells of them sooner; this finds those whose message was lost',
  },
  {
    name: 'RISK_MODELS_RETIRED_LOADED',
    key: 'riskModelsRetiredLoaded',
    schema: wholeNumber(1, 1_000).default(4),
    description: 'Most retired model versions that a process keeps in memory to explain and verify old predictions',
  },
  {
    name: 'CORS_ORIGINS',
    key: 'corsOrigins',
    schema: listOf(origin).default([]),
    description:
      "Origins whose pages may call the API from a browser, in addition to the API's own origin. `*` allows every " +
      'origin',
  },
  {
    name: 'TRUST_PROXY',
    key: 'trustedProxies',
    schema: listOf(proxy).default([]),
    description:
      '[Proxies](operations.md#behind-a-load-balancer) whose `X-Forwarded-*` headers are believed: addresses, ' +
      'ranges such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`',
  },
  {
    name: 'DRAIN_SECONDS',
    key: 'drainSeconds',
    schema: wholeNumber(0, 300).optional(),
    description:
      'Seconds for which a stopping API still [serves](operations.md#stopping-and-restarting) while `/health/ready` is ' +
      '503. 5 in production, else 0',
  },
  {
    name: 'WAIVED_CHECKS',
    key: 'waivedChecks',
    schema: listOf(oneOf(waivableChecks)).default([]),
    description:
      'Names of [checks of a production start](operations.md#what-a-production-start-refuses) whose risk you accept',
  },
] as const satisfies readonly Setting[];
