import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CombinedError } from '@urql/core';
import { useSubscription, type Rows } from '../../api/hooks.js';
import { ConsoleJobsUpdatedDocument, type ScoringJobFilter, type ShownJobFragment } from '../../generated/graphql.js';

/** The rows of a list of jobs, up to date. */
interface ChangedJobs {
  readonly rows: readonly ShownJobFragment[];
  /** True while there is a job that is newer than the rows. */
  readonly hasNewer: boolean;
  readonly showNewer: () => void;
  readonly error: CombinedError | undefined;
}

type Changes = ReadonlyMap<string, ShownJobFragment>;

const none: Changes = new Map();

/**
 * Keeps the rows up to date. New jobs are not put above the others, which would move under the pointer: they are
 * offered. The list is read again when the changes begin, first and after a lost connection.
 */
export function useChangedJobs(filter: ScoringJobFilter, list: Rows<ShownJobFragment>): ChangedJobs {
  const { rows, isLoading, reload } = list;
  const key = JSON.stringify(filter);
  const [changes, setChanges] = useState(none);
  /** The newest job that was sent. */
  const [newest, setNewest] = useState<ShownJobFragment>();
  const ids = useMemo(() => new Set(rows.map(({ id }) => id)), [rows]);
  const shown = useRef({ ids, isLoading });
  shown.current = { ids, isLoading };
  const [begins, setBegins] = useState(0);
  const readFor = useRef(0);

  const { error } = useSubscription(
    ConsoleJobsUpdatedDocument,
    { filter },
    ({ scoringJobsUpdated: { job } }) => {
      // A page that is on its way may have the job, as it was before this change.
      if (shown.current.isLoading || shown.current.ids.has(job.id))
        setChanges((known) => new Map(known).set(job.id, job));
      setNewest((known) => (known && known.submittedAt > job.submittedAt ? known : job));
    },
    { onBegin: () => setBegins((count) => count + 1) },
  );
  useEffect(() => {
    // A page that was on its way when the changes began may be older than that.
    if (isLoading || readFor.current === begins) return;
    readFor.current = begins;
    reload();
  }, [isLoading, begins]);
  useEffect(() => {
    setChanges(none);
    setNewest(undefined);
  }, [key]);
  useEffect(() => {
    if (!isLoading) setChanges((known) => (isWithin(known, ids) ? known : onlyOf(known, ids)));
  }, [ids, isLoading]);

  return {
    rows: useMemo(
      () =>
        rows.map((row) => {
          const change = changes.get(row.id);
          return change && change.sequence > row.sequence ? change : row;
        }),
      [rows, changes],
    ),
    hasNewer: newest !== undefined && !ids.has(newest.id) && newest.submittedAt >= (rows[0]?.submittedAt ?? ''),
    showNewer() {
      setNewest(undefined);
      reload();
    },
    error,
  };
}

const isWithin = (changes: Changes, ids: ReadonlySet<string>): boolean =>
  [...changes.keys()].every((id) => ids.has(id));
const onlyOf = (changes: Changes, ids: ReadonlySet<string>): Changes =>
  new Map([...changes].filter(([id]) => ids.has(id)));
