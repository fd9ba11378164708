import type { Types } from 'mongoose';
import type { Viewer } from '../auth/viewer.js';
import { toObjectId } from '../input.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import { readPageOf, type Listed, type Page, type PageRequest, type PageSource } from '../scope/pagination.js';
import { fewClosedPatientIds, visibleAmong, type MaybeOfPatient } from './care-team-fence.js';

/** Closed patients that are named in a query, 20 KiB of them. A command of MongoDB holds 16 MiB. */
export const mostNamedClosed = 1_000;
/** Rows of a list that are looked at in one round. A row of a block of predictions has some hundred bytes. */
const mostRows = 2_000;

/** Rows that hold only the id of their patient, newest first, without those of patients who are closed to one viewer. */
interface VisibleRows {
  /** The closed patients, to be left out by the query itself. Undefined when they are too many to be named. */
  closed(filter: { readonly patientId?: string | null }): Promise<readonly Types.ObjectId[] | undefined>;
  onlyVisible<T extends MaybeOfPatient>(rows: readonly T[]): Promise<T[]>;
  /**
   * @param list the rows without those of the patients it is given
   * @param owners all rows, some thousands at a time: counted where the closed are too many to be named
   */
  source<T extends MaybeOfPatient & { readonly _id: Types.ObjectId }>(
    filter: { readonly patientId?: string | null },
    list: (closed: readonly Types.ObjectId[]) => PageSource<T>,
    owners: () => AsyncIterable<readonly MaybeOfPatient[]>,
  ): PageSource<T>;
}

/**
 * Nearly nobody is closed to a clinician of most organizations: then those few are left out by the query itself. Where care
 * teams are the rule, what is found is looked at in rounds, and the closed are left out here: any number of patients, and no
 * command grows with it. What such a list or count costs is the rows gone through.
 */
export function visibleRows(scope: OrganizationScope, viewer: Viewer): VisibleRows {
  const rows: VisibleRows = {
    closed({ patientId }) {
      const named = patientId == null ? undefined : toObjectId(patientId);
      if (!named) return fewClosedPatientIds(scope, viewer, mostNamedClosed);
      return visibleAmong(scope, viewer, [named]).then((visible) => (visible.length > 0 ? [] : [named]));
    },
    async onlyVisible(found) {
      const patients = new Map(
        found.flatMap(({ patient }) => (patient ? [[patient.toHexString(), patient] as const] : [])),
      );
      const visible = new Set(
        (await visibleAmong(scope, viewer, [...patients.values()])).map((id) => id.toHexString()),
      );
      return found.filter(({ patient }) => !patient || visible.has(patient.toHexString()));
    },
    source(filter, list, owners) {
      // A page and its count are asked for together.
      let asked: ReturnType<typeof rows.closed> | undefined;
      const closedOnce = () => (asked ??= rows.closed(filter));
      return {
        async find(after, limit) {
          const closed = await closedOnce();
          if (closed) return list(closed).find(after, limit);
          const visible = [];
          for (
            let position = after, wanted = limit, more = true;
            more && visible.length < limit;
            wanted = Math.min(4 * wanted, mostRows)
          ) {
            const found = await list([]).find(position, wanted);
            visible.push(...(await rows.onlyVisible(found)));
            more = found.length === wanted;
            position = more ? { value: null, id: found.at(-1)!._id } : null;
          }
          return visible.slice(0, limit);
        },
        async count() {
          const closed = await closedOnce();
          if (closed) return list(closed).count();
          let visible = 0;
          for await (const found of owners()) visible += (await rows.onlyVisible(found)).length;
          return visible;
        },
      };
    },
  };
  return rows;
}

/**
 * Reads a page of rows that a viewer may see.
 * @param admit puts null in the place of a row that is closed after all: a grant may have ended since the page was read
 */
export async function readVisiblePage<T extends Listed>(
  source: PageSource<T>,
  request: PageRequest,
  admit: (rows: readonly T[]) => Promise<readonly (T | null)[]>,
): Promise<Page<T>> {
  const page = await readPageOf(source, request);
  const admitted = await admit(page.edges.map(({ node }) => node));
  return { ...page, edges: page.edges.filter((_edge, index) => admitted[index]) };
}
