import type { VNode } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { ErrorBox } from '../../components/error-box.js';
import { download } from '../../components/plot.js';
import { SessionContext } from '../../session/session-context.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { CohortJob } from './cohort-data.js';
import { csvHead, csvLine } from './result-csv.js';
import { readResultLines, type ResultLine } from './result-lines.js';

type Form = 'csv' | 'ndjson';

/** Saves all results of a cohort as a file. The browser holds its parts, and moves large ones to its disk. */
export function Downloads({ job }: { readonly job: CohortJob }): VNode {
  const { cohort } = useTexts();
  const { number } = useFormats();
  const may = useMay();
  const session = useContext(SessionContext);
  const [withMrn, setWithMrn] = useState(false);
  const [read, setRead] = useState<number>();
  const [error, setError] = useState<Error>();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  async function save(form: Form): Promise<void> {
    const abort = (running.current = new AbortController());
    const codes = job.model?.features.map(({ code }) => code) ?? [];
    const parts: Blob[] = form === 'csv' ? [new Blob([csvHead(codes, withMrn)])] : [];
    setError(undefined);
    setRead(0);
    try {
      let count = 0;
      for await (const lines of readResultLines({ session, jobId: job.id, withMrn, signal: abort.signal })) {
        const text =
          form === 'csv'
            ? lines.map((line) => csvLine(JSON.parse(line) as ResultLine, codes, withMrn)).join('')
            : `${lines.join('\n')}\n`;
        parts.push(new Blob([text]));
        count += lines.length;
        setRead(count);
      }
      const type = form === 'csv' ? 'text/csv;charset=utf-8' : 'application/x-ndjson';
      download(new Blob(parts, { type }), `cohort-${job.id}.${form}`);
    } catch (failure) {
      if (!abort.signal.aborted) setError(failure as Error);
    } finally {
      setRead(undefined);
    }
  }
  return (
    <section class="card">
      <h2>{cohort.download}</h2>
      <p class="quiet">{cohort.downloadHelp}</p>
      {may('patient:read-identity') && (
        <p>
          <label class="inline">
            <input
              type="checkbox"
              checked={withMrn}
              onChange={({ currentTarget }) => setWithMrn(currentTarget.checked)}
            />
            {cohort.withMrn}
          </label>
        </p>
      )}
      {error && <ErrorBox error={error} />}
      <div class="actions">
        {(['csv', 'ndjson'] as const).map((form) => (
          <button key={form} type="button" disabled={read !== undefined} onClick={() => void save(form)}>
            {cohort[form]}
          </button>
        ))}
        {read !== undefined && (
          <>
            <button type="button" onClick={() => running.current?.abort()}>
              {cohort.stop}
            </button>
            <span role="status">{cohort.downloading(number(read))}</span>
          </>
        )}
      </div>
    </section>
  );
}
