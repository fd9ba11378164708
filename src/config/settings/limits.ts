import { text, wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/**
 * The most that a query, a caller or a process may use. src/http/query-limits.ts says what each limit of a query
 * counts.
 */
export const limitSettings = [
  {
    name: 'QUERY_TOKEN_LIMIT',
    key: 'queryLimits.tokens',
    schema: wholeNumber(100, 100_000).default(2_000),
    description: 'Tokens per document. See [what each limit counts](api.md#limits-of-a-query)',
  },
  {
    name: 'QUERY_FIELD_LIMIT',
    key: 'queryLimits.fields',
    schema: wholeNumber(10, 100_000).default(500),
    description: 'Fields per document',
  },
  {
    name: 'QUERY_DEPTH_LIMIT',
    key: 'queryLimits.depth',
    schema: wholeNumber(1, 100).default(12),
    description: 'Levels of fields per document',
  },
  {
    name: 'QUERY_ALIAS_LIMIT',
    key: 'queryLimits.aliases',
    schema: wholeNumber(0, 10_000).default(30),
    description: 'Aliases per document',
  },
  {
    name: 'QUERY_DIRECTIVE_LIMIT',
    key: 'queryLimits.directives',
    schema: wholeNumber(0, 10_000).default(30),
    description: 'Directives per document',
  },
  {
    name: 'QUERY_COST_LIMIT',
    key: 'queryLimits.cost',
    schema: wholeNumber(1, 1_000_000_000).default(500_000),
    description: 'Cost of one operation. A cost of 1 is about 25 bytes of the answer, and 3 microseconds',
  },
  {
    name: 'OPERATION_TIMEOUT_SECONDS',
    key: 'operationTimeoutSeconds',
    schema: wholeNumber(1, 600).default(60),
    description:
      'Seconds from the complete request to its answer. A query or mutation that takes longer is answered with ' +
      '`SERVICE_UNAVAILABLE`',
  },
  {
    name: 'PERSISTED_QUERIES_FILE',
    key: 'persistedQueriesFile',
    schema: text.optional(),
    description:
      'JSON file of the [only documents](api.md#only-known-queries) that are run. Without it, every document is run',
  },
  {
    name: 'RATE_LIMIT_USER_PER_MINUTE',
    key: 'rateLimits.perUser',
    schema: wholeNumber(1, 1_000_000_000).default(300_000),
    description: 'Requests per minute of one user or API key, over all API processes together',
  },
  {
    name: 'RATE_LIMIT_ADDRESS_PER_MINUTE',
    key: 'rateLimits.perAddress',
    schema: wholeNumber(1, 1_000_000_000).default(6_000),
    description: 'Requests per minute without a valid credential from one address, over all API processes together',
  },
  {
    name: 'RATE_LIMIT_COST_PER_MINUTE',
    key: 'rateLimits.costPerUser',
    schema: wholeNumber(1, 1_000_000_000_000).default(400_000_000),
    description:
      'Cost per minute of the operations and events of one user, API key or address, over all API processes together',
  },
  {
    name: 'OPERATIONS_PER_USER',
    key: 'operationLimits.perUser',
    schema: wholeNumber(1, 1_000_000).default(500),
    description: 'Most operations of one user that are under way at the same time in one API process',
  },
  {
    name: 'OPERATION_COST_PER_USER',
    key: 'operationLimits.costPerUser',
    schema: wholeNumber(1, 1_000_000_000).default(2_000_000),
    description: 'Most cost of the operations of one user that are under way at the same time in one API process',
  },
  {
    name: 'COHORT_PATIENTS',
    key: 'cohortLimits.patients',
    schema: wholeNumber(1, 1_000_000).default(100_000),
    description: 'Most patients of one [cohort](api.md#many-patients-at-once)',
  },
  {
    name: 'COHORT_MEGABYTES',
    key: 'cohortLimits.megabytes',
    schema: wholeNumber(1, 4_096).default(64),
    description: 'Most MiB of one cohort. They are kept encrypted in the folder for temporary files until it is stored',
  },
  {
    name: 'COHORT_SECONDS',
    key: 'cohortLimits.seconds',
    schema: wholeNumber(1, 3_600).default(900),
    description: 'Most seconds from the complete headers of a cohort to its answer',
  },
  {
    name: 'ANSWER_BYTES',
    key: 'operationLimits.answerBytes',
    schema: wholeNumber(1_000, 256 * 1024 * 1024).default(16 * 1024 * 1024),
    description: 'Most bytes of one answer',
  },
  {
    name: 'EVENT_BYTES',
    key: 'operationLimits.eventBytes',
    schema: wholeNumber(1_000, 256 * 1024 * 1024).default(1024 * 1024),
    description: 'Most bytes of one event of a subscription',
  },
  {
    name: 'WAITING_BYTES_PER_USER',
    key: 'operationLimits.waitingPerUser',
    schema: wholeNumber(1_000, 1024 * 1024 * 1024).default(64 * 1024 * 1024),
    description:
      'Most bytes of answers that one user has not read yet, in one API process. Above it, connections are closed',
  },
  {
    name: 'WAITING_BYTES_PER_NODE',
    key: 'operationLimits.waitingPerNode',
    schema: wholeNumber(1_000, 16 * 1024 * 1024 * 1024).default(192 * 1024 * 1024),
    description: 'Most bytes of all answers that one API process makes or that are not read yet',
  },
  {
    name: 'SOCKETS_PER_NODE',
    key: 'socketLimits.socketsPerNode',
    schema: wholeNumber(1, 1_000_000).default(20_000),
    description:
      'Most WebSockets and streams of events with a valid credential that are open at the same time in one API ' +
      'process. ' +
      'Fewer when the process may open [fewer files](operations.md#files-and-connections)',
  },
  {
    name: 'SOCKETS_PER_ORGANIZATION',
    key: 'socketLimits.socketsPerOrganization',
    schema: wholeNumber(1, 1_000_000).default(10_000),
    description: 'Most of them that belong to one organization',
  },
  {
    name: 'SOCKETS_PER_USER',
    key: 'socketLimits.socketsPerUser',
    schema: wholeNumber(1, 1_000_000).default(5_000),
    description: 'Most of them that belong to one user or API key',
  },
  {
    name: 'UNAUTHENTICATED_SOCKETS_PER_NODE',
    key: 'socketLimits.unauthenticatedPerNode',
    schema: wholeNumber(1, 1_000_000).default(1_000),
    description:
      'Most WebSockets, and most connections for HTTP, that have shown no valid credential yet in one API process. ' +
      'The oldest one ends for a newer one',
  },
  {
    name: 'UNAUTHENTICATED_SOCKETS_PER_ADDRESS',
    key: 'socketLimits.unauthenticatedPerAddress',
    schema: wholeNumber(1, 1_000_000).default(250),
    description: 'Most of them from one address (IPv6: /64 network)',
  },
  {
    name: 'SUBSCRIPTIONS_PER_SOCKET',
    key: 'socketLimits.perSocket',
    schema: wholeNumber(1, 1_000_000).default(1_000),
    description: 'Most subscriptions at the same time on one WebSocket',
  },
  {
    name: 'SUBSCRIPTIONS_PER_USER',
    key: 'socketLimits.perUser',
    schema: wholeNumber(1, 1_000_000).default(10_000),
    description: 'Most subscriptions of one user at the same time in one API process',
  },
  {
    name: 'SUBSCRIPTIONS_PER_ORGANIZATION',
    key: 'socketLimits.perOrganization',
    schema: wholeNumber(1, 1_000_000).default(10_000),
    description: 'Most subscriptions of one organization at the same time in one API process',
  },
  {
    name: 'SUBSCRIPTIONS_PER_NODE',
    key: 'socketLimits.perNode',
    schema: wholeNumber(1, 1_000_000).default(20_000),
    description: 'Most subscriptions at the same time in one API process',
  },
] as const satisfies readonly Setting[];
