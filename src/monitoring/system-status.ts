import type { App } from '../app.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { ServiceUnavailableError } from '../errors.js';
import type { QueueDepth } from '../jobs/queue-depths.js';
import { withinTime } from '../process/within-time.js';
import { liveWorkers } from './heartbeats.js';
import { isOperator } from './operators.js';

/** Longest time of one read, milliseconds. */
const longestReadMs = 2_000;

/** The state of the deployment, as an administrator sees it. */
interface SystemStatus {
  /** Workers that have given a sign of life lately. */
  readonly workersAlive: number;
  /** The queues that hold entries. They are of all organizations, so only the operators see them; null for others. */
  readonly queues: readonly QueueDepth[] | null;
}

function isAway(cause?: unknown): never {
  throw new ServiceUnavailableError('Redis does not answer: check that it runs and can be reached.', { cause });
}

type StatusParts = Pick<App, 'config' | 'models' | 'queueDepths'>;

/** Makes the reader of the state. It costs the same for any number of jobs. */
export const createSystemStatus =
  ({ config, models, queueDepths }: StatusParts) =>
  async (viewer: Viewer | null): Promise<SystemStatus> => {
    authorize(viewer, 'system:read');
    const mayQueues = await isOperator(models, config.queuePageOrganization, viewer);
    const [workers, depths] = await Promise.all([
      liveWorkers(models),
      mayQueues ? withinTime(queueDepths().catch(isAway), longestReadMs, isAway) : null,
    ]);
    return { workersAlive: workers.length, queues: depths && depths.filter(({ entries }) => entries > 0) };
  };
