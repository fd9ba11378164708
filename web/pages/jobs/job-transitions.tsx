import type { VNode } from 'preact';
import type { JobTransitionsFragment } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobState } from './job-state.js';

/** The changes of a job's state and attempt, as the API keeps them. */
export function JobTransitions({ transitions }: Pick<JobTransitionsFragment, 'transitions'>): VNode {
  const texts = useTexts().jobs.transitions;
  const { dateTime, number } = useFormats();
  return (
    <section class="card">
      <h2>{texts.title}</h2>
      <div class="scroll">
        <table>
          <caption>{texts.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.time}</th>
              <th scope="col">{texts.change}</th>
              <th scope="col">{texts.reason}</th>
            </tr>
          </thead>
          <tbody>
            {transitions.map(({ at, state, attempt, errorCode }, place) => (
              <tr key={place}>
                <td>{at ? <time dateTime={at}>{dateTime(at)}</time> : texts.unknown}</td>
                <td>
                  <JobState state={state} /> {attempt > 0 && texts.attempt(number(attempt))}
                </td>
                <td>{errorCode && <code>{errorCode}</code>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
