import { useContext, useEffect, useState } from 'preact/hooks';
import { SessionContext } from '../../session/session-context.js';
import { cohortCollector, type CohortData } from './cohort-data.js';
import { readResultLines, type ResultLine } from './result-lines.js';

/** The most patients that the figures hold, about 25 MB with 15 features. Files have all of them. */
export const mostShown = 100_000;

/** The results of a cohort as they arrive. */
interface ResultsState {
  /** Patients that have arrived. */
  readonly read: number;
  /** Undefined until all have arrived. */
  readonly data?: CohortData;
  readonly error?: Error;
}

/**
 * Reads the results of a batch that has ended.
 * @param codes the features of its model
 */
export function useResults(jobId: string, codes: readonly string[]): ResultsState & { readonly retry: () => void } {
  const session = useContext(SessionContext);
  const [state, setState] = useState<ResultsState>({ read: 0 });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    async function read(): Promise<void> {
      const collector = cohortCollector(codes);
      for await (const lines of readResultLines({ session, jobId, signal: abort.signal })) {
        for (const line of lines) if (collector.read < mostShown) collector.take(JSON.parse(line) as ResultLine);
        if (abort.signal.aborted) return;
        setState({ read: collector.read });
        if (collector.read >= mostShown) break;
      }
      setState({ read: collector.read, data: collector.data() });
      abort.abort();
    }
    setState({ read: 0 });
    read().catch((error: unknown) => {
      if (!abort.signal.aborted) setState({ read: 0, error: error as Error });
    });
    return () => abort.abort();
  }, [session, jobId, codes.join(), round]);
  return { ...state, retry: () => setRound((count) => count + 1) };
}
