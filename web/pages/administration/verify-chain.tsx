import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useRead } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { ConsoleAuditChainDocument, type ConsoleAuditChainQuery } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';

type Part = NonNullable<ConsoleAuditChainQuery['auditChain']>;

/** What the parts so far have shown. */
interface Progress {
  readonly events: number;
  readonly part: Part;
  readonly failures: Part['failures'];
}

/** Most failures that are listed. */
const mostFailures = 100;

/** A button that examines the whole chain of the audit trail, part by part. */
export function VerifyChain(): VNode {
  const { chain } = useTexts().administration;
  const { number } = useFormats();
  const read = useRead();
  const [progress, setProgress] = useState<Progress>();
  const [error, setError] = useState<Error>();
  const [isRunning, setRunning] = useState(false);
  const live = useRef(true);
  useEffect(() => () => void (live.current = false), []);

  async function verify(): Promise<void> {
    setRunning(true);
    setError(undefined);
    setProgress(undefined);
    let after = 0;
    let events = 0;
    let failures: Part['failures'] = [];
    for (;;) {
      const { data, error: problem } = await read(ConsoleAuditChainDocument, { after });
      if (!live.current) return;
      const part = data?.auditChain;
      if (!part) {
        setError(problem);
        break;
      }
      events += part.events;
      failures = [...failures, ...part.failures].slice(0, mostFailures);
      setProgress({ events, part, failures });
      if (part.isComplete) break;
      after = part.through;
    }
    setRunning(false);
  }
  return (
    <section class="card spaced" aria-labelledby="chain">
      <div class="page-head">
        <h2 id="chain">{chain.title}</h2>
        <button type="button" disabled={isRunning} onClick={() => void verify()}>
          {chain.verify}
        </button>
      </div>
      <p>{chain.help}</p>
      {isRunning && progress && (
        <progress max={progress.part.end} value={progress.part.through} aria-label={chain.title} />
      )}
      <div role="status">
        {isRunning && <p>{chain.running(number(progress?.events ?? 0))}</p>}
        {!isRunning && progress?.part.isComplete && (
          <p>
            {progress.failures.length === 0 ? (
              <span class="badge good">{chain.whole}</span>
            ) : (
              <span class="badge danger">{chain.broken}</span>
            )}{' '}
            {chain.examined(number(progress.events), number(progress.part.through))}
            {progress.part.archivedThrough > 0 && ` ${chain.archived(number(progress.part.archivedThrough))}`}
          </p>
        )}
      </div>
      {error && <ErrorBox error={error} onRetry={() => void verify()} />}
      {progress && progress.failures.length > 0 && (
        <ul>
          {progress.failures.map(({ sequence, reason }) => (
            <li key={`${sequence} ${reason}`}>{chain.failure(number(sequence), reason)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
