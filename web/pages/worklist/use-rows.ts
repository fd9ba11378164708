import { useEffect, useMemo, useState } from 'preact/hooks';
import { useApi } from '../../api/context.js';
import { useHeals } from '../../api/hooks.js';
import { WorklistEndsDocument, WorklistRowsDocument, type WorklistRowFragment } from '../../generated/graphql.js';
import type { toArguments } from './choice.js';
import { createSparseRows, type RowReader, type SparseRows } from './sparse-rows.js';

/** The patients that are listed, and what is read of each. */
interface Listed extends ReturnType<typeof toArguments> {
  /** A RiskModel.modelId: the latest results are those of this model. */
  readonly model: string;
  readonly identity: boolean;
  readonly results: boolean;
  readonly features: boolean;
}

/**
 * Keeps the rows of the worklist while it is shown. They go past the cache: it would keep every row that was ever in view.
 * @param round another number reads the list again
 */
export function useRows(listed: Listed, round: number): SparseRows<WorklistRowFragment> | undefined {
  const { read } = useApi();
  const [, redraw] = useState(0);
  const [rows, setRows] = useState<SparseRows<WorklistRowFragment>>();
  const key = JSON.stringify(listed);
  const reader = useMemo((): RowReader<WorklistRowFragment> => {
    const { filter, orderBy } = listed;
    return {
      async rows(place, counted, signal) {
        const { patients } = await read(WorklistRowsDocument, { ...listed, ...place, counted }, signal);
        return { rows: patients.edges, total: patients.totalCount };
      },
      async ends(place, signal) {
        const { patients } = await read(WorklistEndsDocument, { filter, orderBy, ...place }, signal);
        return { start: patients.pageInfo.startCursor, end: patients.pageInfo.endCursor };
      },
    };
  }, [read, key]);
  useEffect(() => {
    const list = createSparseRows(reader, () => redraw((count) => count + 1));
    setRows(list);
    return () => list.close();
  }, [reader, round]);
  useHeals(() => rows?.retry());
  return rows;
}
