import type { VNode } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { useMutation, useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { newKey } from '../../components/new-key.js';
import {
  ConsoleCohortCountDocument,
  ConsoleCohortModelsDocument,
  ConsoleSubmitBatchDocument,
} from '../../generated/graphql.js';
import { navigate, usePlace, useQueryValue } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { choiceOf } from './cohort-filter.js';
import { Conditions } from './conditions.js';

/** Chooses patients and a model, says how many patients match, and submits a batch. */
export function SubmitForm(): VNode {
  const { cohort } = useTexts();
  const { number } = useFormats();
  const may = useMay();
  const { query } = usePlace();
  const models = useQuery(ConsoleCohortModelsDocument, {});
  const [modelId, setModelId] = useQueryValue('model');
  const [own, setOwn] = useState({ mrnPrefix: '', familyName: '' });
  const [explain, setExplain] = useState(true);
  const submission = useMutation(ConsoleSubmitBatchDocument);
  // A repeated click, or a click after a lost answer, finds the same job. Another choice is another job.
  const key = useRef({ for: '', key: '' });

  const offered = models.data?.riskModels ?? [];
  const model = offered.find(({ id }) => id === modelId) ?? offered.find(({ isDefault }) => isDefault) ?? offered[0];
  const { filter, isAll } = useMemo(
    () => choiceOf(query, own, model?.modelId ?? ''),
    [query.toString(), own, model?.modelId],
  );
  const counted = useQuery(ConsoleCohortCountDocument, { filter }, { pause: !may('patient:read') });
  // A button that names another number than it scores would be wrong.
  const count = counted.error || counted.isFetching ? undefined : counted.data?.patients.totalCount;

  async function submit(): Promise<void> {
    const chosen = JSON.stringify([model!.id, filter, explain]);
    if (key.current.for !== chosen) key.current = { for: chosen, key: newKey() };
    const done = await submission.run({
      input: {
        modelId: model!.modelId,
        modelVersion: model!.version,
        explain,
        idempotencyKey: key.current.key,
        ...(isAll ? { all: true } : { filter }),
      },
    });
    if (done) navigate(`/cohorts/${done.submitBatchScoringJob.id}`);
  }
  const label =
    count === undefined
      ? cohort.submitUncounted
      : isAll
        ? cohort.submitAll(number(count))
        : cohort.submit(number(count));
  const error = models.error ?? counted.error;
  return (
    <section class="card">
      <h2>{cohort.choose}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label>
          {cohort.model}
          <select value={model?.id} onChange={({ currentTarget }) => setModelId(currentTarget.value)}>
            {offered.map(({ id, name, version, isDefault }) => (
              <option key={id} value={id}>
                {name} {version}
                {isDefault ? ` (${cohort.defaultVersion})` : ''}
              </option>
            ))}
          </select>
        </label>
        <Conditions
          bands={(model?.riskBands ?? []).map(({ band }) => band)}
          hasProbability={!model?.quantity}
          own={own}
          onOwn={setOwn}
        />
        <label class="inline">
          <input
            type="checkbox"
            checked={explain}
            onChange={({ currentTarget }) => setExplain(currentTarget.checked)}
          />
          {cohort.explain}
        </label>
        {may('patient:read') && !counted.error && (
          <p role="status">{count === undefined ? cohort.counting : cohort.matching(number(count))}</p>
        )}
        {error && <ErrorBox error={error} />}
        {submission.error && <ErrorBox error={submission.error} />}
        <button
          type="submit"
          class="primary"
          disabled={!model || submission.isRunning || count === 0 || counted.error !== undefined || counted.isFetching}
        >
          {label}
        </button>
      </form>
    </section>
  );
}
