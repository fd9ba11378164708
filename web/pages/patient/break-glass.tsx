import { useId, useState } from 'preact/hooks';
import { useMutation } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { PatientPageBreakGlassDocument, type BreakGlassInput } from '../../generated/graphql.js';
import { useTexts } from '../../texts/texts.js';

/** An access that was just given. */
interface Granted {
  readonly patientId: string;
}

/** Says that a patient is outside of the viewer's care teams, and asks for the reason why the viewer needs it. */
export function BreakGlass(props: {
  readonly patient: Pick<BreakGlassInput, 'patientId' | 'mrn'>;
  readonly onGranted: (access: Granted) => void;
}) {
  const texts = useTexts().patient;
  const id = useId();
  const [reason, setReason] = useState('');
  const { run, error, isRunning } = useMutation(PatientPageBreakGlassDocument);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const answer = await run({ input: { ...props.patient, reason } });
    if (answer) props.onGranted(answer.breakGlass);
  }
  return (
    <form class="card break-glass" onSubmit={(event) => void submit(event)}>
      <p class="note" role="status">
        {texts.outside} {texts.outsideHelp}
      </p>
      <h2>{texts.breakGlass}</h2>
      <p>{texts.breakGlassHelp}</p>
      <label for={`${id}-reason`}>{texts.reason}</label>
      <textarea
        id={`${id}-reason`}
        rows={3}
        required
        minLength={10}
        maxLength={500}
        autocomplete="off"
        aria-describedby={`${id}-help`}
        value={reason}
        onInput={({ currentTarget }) => setReason(currentTarget.value)}
      />
      <p id={`${id}-help`} class="quiet">
        {texts.reasonHelp}
      </p>
      {error && <ErrorBox error={error} />}
      <button type="submit" class="danger" disabled={isRunning}>
        {texts.breakGlass}
      </button>
    </form>
  );
}
