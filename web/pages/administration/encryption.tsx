import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useMutation, useQuery } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import {
  ConsoleEncryptionDocument,
  ConsoleRotateKeyDocument,
  type ShownRotationFragment,
} from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';

/** Time between two looks at a rotation that is under way, milliseconds. */
const lookEveryMs = 2_000;

/** The keys that encrypt the organization's patient data, and their rotation. */
export function Encryption(): VNode {
  const { administration, shell } = useTexts();
  const { encryption } = administration;
  const formats = useFormats();
  const { data, error, isLoading, reload } = useQuery(ConsoleEncryptionDocument, {});
  const rotate = useMutation(ConsoleRotateKeyDocument);
  const status = data?.encryptionStatus;
  const isUnderWay = status?.rotation != null && status.rotation.state !== 'COMPLETED';
  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setInterval(reload, lookEveryMs);
    return () => clearInterval(timer);
  }, [isUnderWay]);
  return (
    <>
      <section class="card">
        <div class="page-head">
          <h2>{encryption.rotation}</h2>
          <ConfirmButton
            question={encryption.question}
            confirm={encryption.rotate}
            disabled={rotate.isRunning || isUnderWay}
            onConfirm={() => void rotate.run({}).then((done) => done && reload())}
          >
            {encryption.rotate}
          </ConfirmButton>
        </div>
        <p>{encryption.help}</p>
        {rotate.error && <ErrorBox error={rotate.error} />}
        {error && <ErrorBox error={error} onRetry={reload} />}
        {isLoading && <p class="quiet">{shell.loading}</p>}
        {status?.rotation && <Rotation rotation={status.rotation} />}
      </section>
      {status && (
        <section class="card scroll" tabIndex={0} aria-label={encryption.keys}>
          <table>
            <caption>{encryption.keys}</caption>
            <thead>
              <tr>
                <th scope="col">{encryption.key}</th>
                <th scope="col">{encryption.purpose}</th>
                <th scope="col">{encryption.state}</th>
                <th scope="col">{encryption.created}</th>
                <th scope="col" class="number">
                  {encryption.documents}
                </th>
              </tr>
            </thead>
            <tbody>
              {status.keys.map(({ id, purpose, state, createdAt, documents }) => (
                <tr key={id}>
                  <th scope="row">
                    <code>{id}</code>
                  </th>
                  <td>{encryption.purposes[purpose]}</td>
                  <td>
                    <span class={`badge ${state === 'ACTIVE' ? 'good' : state ? '' : 'danger'}`}>
                      {state ? encryption.states[state] : encryption.lost}
                    </span>
                  </td>
                  <td>{createdAt ? formats.dateTime(createdAt) : '–'}</td>
                  <td class="number">{documents == null ? '–' : formats.number(documents)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function Rotation({ rotation }: { readonly rotation: ShownRotationFragment }): VNode {
  const { encryption } = useTexts().administration;
  const { dateTime, number } = useFormats();
  const { state, requestedAt, finishedAt, total, processed, failed } = rotation;
  return (
    <>
      {state !== 'COMPLETED' && (
        <progress max={Math.max(1, total)} value={processed} aria-label={encryption.rotation} />
      )}
      <p role="status">
        {encryption.rotationStates[state]}: {encryption.progress(number(processed), number(total))}
        {failed > 0 && ` ${encryption.failed(number(failed))}`}{' '}
        <small>
          {encryption.requested(dateTime(requestedAt))}
          {finishedAt && `, ${encryption.finished(dateTime(finishedAt))}`}
        </small>
      </p>
    </>
  );
}
