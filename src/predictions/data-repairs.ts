import type { Logger } from 'pino';
import { latestResultsRepair, type Models } from '../../models/index.js';
import { createPrefixSearch, type PrefixSearch } from '../patients/prefix-search.js';
import type { ProtectionOf } from '../protection/protection.js';
import { createRepairs } from '../storage/repairs.js';
import type { LatestResults } from './latest-results.js';
import { latestResultsPasses } from './repair-latest-results.js';

/** The repairs of this version. */
export interface DataRepairs {
  readonly prefixSearch: PrefixSearch;
  /** Works on each of them for about `sliceMs`. @returns true when there is nothing more to do */
  work(sliceMs?: number): Promise<boolean>;
}

/** Requests the repairs that the database needs. One that holds no predictions needs none. */
export async function startRepairs({
  models,
  latestResults,
  protectionOf,
  leaseMs,
  logger,
}: {
  readonly models: Models;
  readonly latestResults: LatestResults;
  readonly protectionOf: ProtectionOf;
  /** A repair whose worker is silent for this long is taken over. Milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
}): Promise<DataRepairs> {
  const repairs = createRepairs({ models, leaseMs, logger });
  const passes = latestResultsPasses(models, latestResults);
  await repairs.request(latestResultsRepair, passes);
  const prefixSearch = createPrefixSearch({ models, protectionOf, repairs, logger });
  return {
    prefixSearch,
    async work(sliceMs) {
      const outcomes = [await repairs.work(latestResultsRepair, passes, sliceMs), await prefixSearch.work(sliceMs)];
      return outcomes.every(Boolean);
    },
  };
}
