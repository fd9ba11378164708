import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { TypedInput } from '../../components/typed-input.js';
import type { AuditOutcome } from '../../generated/graphql.js';
import { navigate, usePlace, useQueryValue } from '../../shell/router.js';
import { useTexts } from '../../texts/texts.js';

/** The form of a patient's id. */
const patientId = /^[\da-f]{24}$/;

/** The filters of the audit trail. Each is a value of the address. */
export function AuditFilters(): VNode {
  const { administration, parts } = useTexts();
  const { audit } = administration;
  const { path, query } = usePlace();
  const [outcome, setOutcome] = useQueryValue('outcome');
  const [flagged, setFlagged] = useQueryValue('flagged');
  const [patient, setPatient] = useQueryValue('patient');
  // A text that is no id may tell who a patient is. It stays in the memory of the page.
  const [refused, refuse] = useState('');
  const isRefused = patient === '' && refused !== '';
  function choosePatient(text: string): void {
    const id = text.toLowerCase();
    refuse(patientId.test(id) ? '' : text);
    setPatient(patientId.test(id) ? id : '');
  }
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextFilter name="by" label={audit.username} />
      <TextFilter name="action" label={audit.action} placeholder={audit.actionHelp} />
      <label>
        {audit.outcome}
        <select value={outcome} onChange={({ currentTarget }) => setOutcome(currentTarget.value)}>
          <option value="">{parts.all}</option>
          {(Object.keys(audit.outcomes) as AuditOutcome[]).map((name) => (
            <option key={name} value={name}>
              {audit.outcomes[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {audit.patient}
        <TypedInput
          value={patient || refused}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          aria-invalid={isRefused}
          onTake={(text) => choosePatient(text.trim())}
        />
        {isRefused && <small role="alert">{audit.noPatientId}</small>}
      </label>
      <TextFilter name="after" label={audit.after} type="datetime-local" />
      <TextFilter name="before" label={audit.before} type="datetime-local" />
      <label class="inline">
        <input
          type="checkbox"
          checked={flagged === 'true'}
          onChange={({ currentTarget }) => setFlagged(currentTarget.checked ? 'true' : '')}
        />
        {audit.onlyFlagged}
      </label>
      {(query.size > 0 || isRefused) && (
        <button
          type="button"
          onClick={() => {
            refuse('');
            navigate(path, { replace: true });
          }}
        >
          {audit.clear}
        </button>
      )}
    </form>
  );
}

interface TextFilterProps {
  readonly name: string;
  readonly label: string;
  readonly type?: string;
  readonly placeholder?: string;
}

function TextFilter({ name, label, type = 'text', placeholder }: TextFilterProps): VNode {
  const [value, setValue] = useQueryValue(name);
  return (
    <label>
      {label}
      <TypedInput
        type={type}
        value={value}
        placeholder={placeholder}
        autocapitalize="none"
        spellcheck={false}
        onTake={(text) => setValue(text.trim())}
      />
    </label>
  );
}
