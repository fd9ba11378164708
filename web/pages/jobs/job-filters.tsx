import type { VNode } from 'preact';
import { TypedInput } from '../../components/typed-input.js';
import type { ScoringJobKind, ScoringJobState } from '../../generated/graphql.js';
import { navigate, usePlace, useQueryValue } from '../../shell/router.js';
import { useTexts } from '../../texts/texts.js';

/** The filters of the list of jobs. Each is a value of the address. */
export function JobFilters(): VNode {
  const { jobs, parts } = useTexts();
  const { path, query } = usePlace();
  const [state, setState] = useQueryValue('state');
  const [kind, setKind] = useQueryValue('kind');
  const [by, setBy] = useQueryValue('by');
  const [after, setAfter] = useQueryValue('after');
  const [before, setBefore] = useQueryValue('before');
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        {jobs.filter.state}
        <select value={state} onChange={({ currentTarget }) => setState(currentTarget.value)}>
          <option value="">{parts.all}</option>
          {(Object.keys(jobs.states) as ScoringJobState[]).map((name) => (
            <option key={name} value={name}>
              {jobs.states[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {jobs.filter.kind}
        <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
          <option value="">{parts.all}</option>
          {(Object.keys(jobs.kinds) as ScoringJobKind[]).map((name) => (
            <option key={name} value={name}>
              {jobs.kinds[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {jobs.filter.submitter}
        <TypedInput value={by} autocapitalize="none" spellcheck={false} onTake={(text) => setBy(text.trim())} />
      </label>
      <label>
        {jobs.filter.after}
        <TypedInput type="datetime-local" value={after} onTake={setAfter} />
      </label>
      <label>
        {jobs.filter.before}
        <TypedInput type="datetime-local" value={before} onTake={setBefore} />
      </label>
      {query.size > 0 && (
        <button type="button" onClick={() => navigate(path, { replace: true })}>
          {jobs.filter.clear}
        </button>
      )}
    </form>
  );
}
