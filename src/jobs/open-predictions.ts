import type { Types } from 'mongoose';
import type { Prediction } from '../../models/index.js';
import type { Viewer } from '../auth/viewer.js';
import type { OrganizationScope } from '../organization-scope.js';
import type { PageSource } from '../pagination.js';
import { openRows } from '../patients/open-rows.js';
import type { PredictionFilter } from './prediction-filter.js';
import { storedPredictions } from './stored-predictions.js';

/** The predictions of the patients that are open to one viewer. */
export interface OpenPredictions {
  /** Newest first. */
  list(filter: PredictionFilter): PageSource<Prediction>;
  /** How many there are of each job, by its hexadecimal id; a job without any is absent. */
  countOfJobs(jobs: readonly Types.ObjectId[]): Promise<Map<string, number>>;
}

export function openPredictions(scope: OrganizationScope, viewer: Viewer): OpenPredictions {
  const stored = storedPredictions(scope);
  const rows = openRows(scope, viewer);
  return {
    list: (filter) => rows.source(filter, (closed) => stored.list({ ...filter, closed }), () => stored.owners(filter)),
    async countOfJobs(jobs) {
      const closed = await rows.closed({});
      if (closed) return stored.countOfJobs(jobs, closed);
      const counts = new Map<string, number>();
      for await (const owners of stored.owners({ jobs })) {
        for (const { job } of await rows.onlyOpen(owners)) counts.set(job.toHexString(), (counts.get(job.toHexString()) ?? 0) + 1);
      }
      return counts;
    },
  };
}
