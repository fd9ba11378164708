/*
 * Visible rows: pages and counts of rows that name their patient by id only, e.g. jobs and predictions, for one viewer.
 * A row is visible when its patient is visible to the viewer, or when it is about no patient. See care-team-fence.ts
 * for *visible*, *closed* and *grant*.
 */
import type { Types } from 'mongoose';
import type { Viewer } from '../auth/viewer.js';
import { toObjectId } from '../input.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import { readPageOf, type Listed, type Page, type PageRequest, type PageSource } from '../scope/pagination.js';
import { fewClosedPatientIds, visibleAmong, type MaybeOfPatient } from './care-team-fence.js';

/**
 * Largest number of closed patients that a query names. Their ids take 20 KiB; a command of MongoDB may have 16 MiB.
 */
export const mostNamedClosed = 1_000;
/** Largest number of rows that one round reads. A row of a block of predictions takes some hundred bytes. */
const mostRows = 2_000;

/** Rows that hold only the id of their patient, newest first, without the rows of patients closed to one viewer. */
interface VisibleRows {
  /**
   * Ids of the closed patients, which the query can leave out. Undefined when there are more than `mostNamedClosed`.
   */
  closed(filter: { readonly patientId?: string | null }): Promise<readonly Types.ObjectId[] | undefined>;
  /** Selects the given rows that are visible, in the same order. */
  onlyVisible<T extends MaybeOfPatient>(rows: readonly T[]): Promise<T[]>;
  /**
   * Makes a source of pages that has only visible rows.
   * @param list gives the rows without those of the closed patients that it is called with
   * @param owners gives all rows, some thousands at a time; read for a count when `closed` gives undefined
   */
  source<T extends MaybeOfPatient & { readonly _id: Types.ObjectId }>(
    filter: { readonly patientId?: string | null },
    list: (closed: readonly Types.ObjectId[]) => PageSource<T>,
    owners: () => AsyncIterable<readonly MaybeOfPatient[]>,
  ): PageSource<T>;
}

/**
 * Lists and counts visible rows in one of two ways:
 * - Few patients are closed to the viewer, as in most organizations: the query itself leaves their rows out.
 * - More than `mostNamedClosed` are closed: rows are read in rounds, and rows of closed patients are dropped here. No
 *   command grows with the number of patients. The cost is the number of rows read.
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
      // A page and its count are usually requested together: the closed patients are read once for both.
      let asked: ReturnType<typeof rows.closed> | undefined;
      const closedOnce = () => (asked ??= rows.closed(filter));
      return {
        name: list([]).name,
        async find(from, limit, way) {
          const closed = await closedOnce();
          if (closed) return list(closed).find(from, limit, way);
          const visible = [];
          for (
            let position = from, wanted = limit, more = true;
            more && visible.length < limit;
            wanted = Math.min(4 * wanted, mostRows)
          ) {
            const found = await list([]).find(position, wanted, way);
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
 * @param admit puts null in the place of a row whose patient is closed by now: a grant may expire after the page was
 *   read
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
