import type { VNode } from 'preact';
import type { ScoringJobState, ShownJobFragment } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';

const tones: Readonly<Record<ScoringJobState, string>> = {
  QUEUED: '',
  ACTIVE: 'active',
  COMPLETED: 'good',
  FAILED: 'danger',
  CANCELLED: 'warning',
};

/** The state of a job, by word and colour. */
export function JobState({ state }: { readonly state: ScoringJobState }): VNode {
  return <span class={`badge ${tones[state]}`}>{useTexts().jobs.states[state]}</span>;
}

/** Tells whether a job can still change without a retry. */
export const isUnfinished = ({ state }: { readonly state: ScoringJobState }): boolean =>
  state === 'QUEUED' || state === 'ACTIVE';

/** How far a job is, as a bar and in words. */
export function JobProgress({ job }: { readonly job: Pick<ShownJobFragment, 'progress'> }): VNode {
  const { jobs } = useTexts();
  const formats = useFormats();
  const { processed, total, failed, percent, stage } = job.progress;
  return (
    <>
      <progress max={100} value={percent} aria-label={jobs.progressTitle} />
      <p role="status">
        {jobs.progress(formats.number(processed), formats.number(total))}
        {failed > 0 && `, ${jobs.failed(formats.number(failed))}`}: {jobs.stages[stage]}
      </p>
    </>
  );
}
