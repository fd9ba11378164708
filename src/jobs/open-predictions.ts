import type { Types } from 'mongoose';
import type { Prediction } from '../../models/index.js';
import type { Viewer } from '../auth/viewer.js';
import { toObjectId } from '../input.js';
import type { OrganizationScope } from '../organization-scope.js';
import type { PageSource } from '../pagination.js';
import { fewClosedPatientIds, openAmong } from '../patients/care-team-fence.js';
import type { PredictionFilter, PredictionSelection } from './prediction-filter.js';
import { storedPredictions, type PredictionOwner } from './stored-predictions.js';

/** The predictions of the patients that are open to one viewer. */
export interface OpenPredictions {
  /** Newest first. */
  list(filter: PredictionFilter): PageSource<Prediction>;
  /** How many there are of each job, by its hexadecimal id; a job without any is absent. */
  countOfJobs(jobs: readonly Types.ObjectId[]): Promise<Map<string, number>>;
}

/** Closed patients that are named in a query, 20 KiB of them. A command of MongoDB holds 16 MiB. */
export const mostNamedClosed = 1_000;
/** Rows of a list that are looked at in one round. A row of a block has some hundred bytes. */
const mostRows = 2_000;

/**
 * Nearly nobody is closed to a clinician of most organizations: then those few are left out by the query itself. Where care
 * teams are the rule, what is found is looked at in rounds, and the closed are left out here: any number of patients, and no
 * command grows with it. What such a list or count costs is the rows gone through.
 */
export function openPredictions(scope: OrganizationScope, viewer: Viewer): OpenPredictions {
  const stored = storedPredictions(scope);

  /** Undefined when they are too many to be named. */
  function closedOf({ patientId }: PredictionFilter): Promise<readonly Types.ObjectId[] | undefined> {
    const named = patientId == null ? undefined : toObjectId(patientId);
    if (!named) return fewClosedPatientIds(scope, viewer, mostNamedClosed);
    return openAmong(scope, viewer, [named]).then((open) => (open.length > 0 ? [] : [named]));
  }

  async function onlyOpen<T extends Pick<PredictionOwner, 'patient'>>(rows: readonly T[]): Promise<T[]> {
    const patients = new Map(rows.map(({ patient }) => [patient.toHexString(), patient]));
    const open = new Set((await openAmong(scope, viewer, [...patients.values()])).map((id) => id.toHexString()));
    return rows.filter(({ patient }) => open.has(patient.toHexString()));
  }

  /** How many are open, by what `keyOf` says of each. */
  async function tally<K>(filter: PredictionSelection, keyOf: (owner: PredictionOwner) => K): Promise<Map<K, number>> {
    const counts = new Map<K, number>();
    for await (const owners of stored.owners(filter)) {
      for (const owner of await onlyOpen(owners)) counts.set(keyOf(owner), (counts.get(keyOf(owner)) ?? 0) + 1);
    }
    return counts;
  }

  return {
    list: (filter) => ({
      async find(after, limit) {
        const closed = await closedOf(filter);
        if (closed) return stored.list({ ...filter, closed }).find(after, limit);
        const open: Prediction[] = [];
        for (let position = after, wanted = limit, more = true; more && open.length < limit; wanted = Math.min(4 * wanted, mostRows)) {
          const rows = await stored.list(filter).find(position, wanted);
          open.push(...(await onlyOpen(rows)));
          more = rows.length === wanted;
          position = more ? { value: null, id: rows.at(-1)!._id } : null;
        }
        return open.slice(0, limit);
      },
      async count() {
        const closed = await closedOf(filter);
        return closed ? stored.list({ ...filter, closed }).count() : ((await tally(filter, () => 'all')).get('all') ?? 0);
      },
    }),
    async countOfJobs(jobs) {
      const closed = await closedOf({});
      return closed ? stored.countOfJobs(jobs, closed) : tally({ jobs }, ({ job }) => job.toHexString());
    },
  };
}
