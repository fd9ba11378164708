import type { VNode } from 'preact';
import type { ScoringJobState, ShownJobFragment } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobState } from './job-state.js';

/** A change of state or attempt that this page has seen. */
export interface Transition {
  readonly sequence: number;
  readonly state: ScoringJobState;
  readonly attempt: number;
  /** Time at which the page saw it. */
  readonly at: string;
}

interface JobTransitionsProps {
  readonly job: ShownJobFragment;
  readonly seen: readonly Transition[];
}

/** The changes of a job: the times that the API keeps, and what was seen since the page is open. */
export function JobTransitions({ job, seen }: JobTransitionsProps): VNode {
  const { jobs } = useTexts();
  const { dateTime, number } = useFormats();
  const { transitions } = jobs;
  const row = (key: string, at: string, change: VNode | string): VNode => (
    <tr key={key}>
      <td>
        <time dateTime={at}>{dateTime(at)}</time>
      </td>
      <td>{change}</td>
    </tr>
  );
  return (
    <section class="card">
      <h2>{transitions.title}</h2>
      <div class="scroll">
        <table>
          <caption>{transitions.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{transitions.time}</th>
              <th scope="col">{transitions.change}</th>
            </tr>
          </thead>
          <tbody>
            {row('submitted', job.submittedAt, transitions.submitted)}
            {job.startedAt && row('started', job.startedAt, transitions.started)}
            {seen.map(({ sequence, state, attempt, at }) =>
              row(
                String(sequence),
                at,
                <>
                  <JobState state={state} /> {attempt > 0 && transitions.attempt(number(attempt))}
                </>,
              ),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
