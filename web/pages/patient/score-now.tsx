import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useMutation, useSubscription } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { newKey } from '../../components/new-key.js';
import { answerText } from '../../components/value-text.js';
import {
  PatientPageCancelDocument,
  PatientPageScoringDocument,
  PatientPageSubmitDocument,
  type PatientPageScoringSubscription,
} from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { neededValues, type Model, type ShownPatient } from './values.js';

interface ScoreNowProps {
  readonly patient: ShownPatient;
  readonly model: Model;
  /** The job that is followed. The address names it, so that a reload follows it again. Empty: none. */
  readonly jobId: string;
  readonly onJob: (jobId: string) => void;
  /** Called when a score was stored. */
  readonly onScored: () => void;
}

type Job = PatientPageScoringSubscription['scoringJobUpdated']['job'];

/** Submits a job for the patient and follows it to its end, over lost connections too. */
export function ScoreNow({ patient, model, jobId, onJob, onScored }: ScoreNowProps): VNode {
  const texts = useTexts().patient;
  const formats = useFormats();
  const [job, setJob] = useState<Job>();
  const submission = useMutation(PatientPageSubmitDocument);
  const cancellation = useMutation(PatientPageCancelDocument);
  // An answer that was lost is asked for again with the same key: one press of the button is one job.
  const key = useRef<string | undefined>(undefined);
  const following = useSubscription(
    PatientPageScoringDocument,
    { id: jobId },
    ({ scoringJobUpdated: { job: changed } }) => {
      setJob(changed);
      if (!changed.finishedAt) return;
      onJob('');
      if (changed.state === 'COMPLETED') onScored();
    },
    { pause: jobId === '' },
  );
  // The error of an earlier job stays until the first event of the next one.
  const earlierError = useRef<Error | undefined>(undefined);
  const lost = jobId === '' || following.error === earlierError.current ? undefined : following.error;
  const isRunning = (jobId !== '' && !lost) || submission.isRunning;

  async function start(): Promise<void> {
    key.current ??= newKey();
    setJob(undefined);
    const accepted = await submission.run({
      input: { patientId: patient.id, modelId: model.id, idempotencyKey: key.current },
    });
    if (!accepted) return;
    key.current = undefined;
    earlierError.current = following.error;
    onJob(accepted.submitScoringJob.id);
  }
  const error = submission.error ?? cancellation.error ?? (submission.isRunning ? undefined : lost);
  const needed = submission.error ? neededValues(submission.error, model, patient) : [];
  return (
    <div class="score-now no-print">
      {isRunning ? (
        <>
          <progress max={100} value={job?.progress.percent ?? 0} aria-label={texts.scoring} />
          <button type="button" disabled={jobId === ''} onClick={() => void cancellation.run({ id: jobId })}>
            {texts.cancel}
          </button>
        </>
      ) : (
        <button type="button" class="primary" onClick={() => void start()}>
          {texts.score}
        </button>
      )}
      <p role="status">{sentence()}</p>
      {needed.length > 0 ? (
        <p class="note" role="alert">
          {texts.valuesNeeded(needed.map(({ label }) => label).join(', '))}
        </p>
      ) : (
        error && <ErrorBox error={error} />
      )}
    </div>
  );

  function sentence(): string {
    if (isRunning) return texts.stages[job?.progress.stage ?? 'WAITING'];
    if (job?.state === 'CANCELLED') return texts.scoreCancelled;
    if (job?.state === 'FAILED') return texts.scoreFailed(job.error?.message ?? '');
    if (!job?.prediction) return '';
    return texts.scored(answerText(job.prediction, model, formats), texts.bands[job.prediction.riskBand]);
  }
}
