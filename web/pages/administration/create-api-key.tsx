import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useMutation } from '../../api/hooks.js';
import { FormDialog } from '../../components/form-dialog.js';
import { ConsoleCreateApiKeyDocument } from '../../generated/graphql.js';
import { useTexts } from '../../texts/texts.js';
import { apiKeyScopes } from './api-key-scopes.js';

/** The form for a new key. @param props.onDone gets the secret of the key */
export function CreateApiKey({ onDone }: { readonly onDone: (secret: string) => void }): VNode {
  const { keys } = useTexts().administration;
  const create = useMutation(ConsoleCreateApiKeyDocument);
  return (
    <FormDialog
      button={keys.create}
      title={keys.createTitle}
      submit={keys.createSubmit}
      error={create.error}
      isRunning={create.isRunning}
      isPrimary
      onSubmit={async (fields) => {
        const until = String(fields.get('expiresAt') ?? '');
        const input = {
          name: String(fields.get('name') ?? ''),
          scopes: fields.getAll('scope').map(String),
          expiresAt: until === '' ? null : new Date(until).toISOString(),
        };
        const done = await create.run({ input });
        if (done) onDone(done.createApiKey.key);
        return done !== undefined;
      }}
    >
      <label>
        {keys.name}
        <input name="name" required maxLength={100} />
        <small>{keys.nameHelp}</small>
      </label>
      <fieldset>
        <legend>{keys.scopes}</legend>
        {apiKeyScopes.map((scope) => (
          <label key={scope} class="inline">
            <input type="checkbox" name="scope" value={scope} />
            <code>{scope}</code>
          </label>
        ))}
        <small>{keys.scopesHelp}</small>
      </fieldset>
      <label>
        {keys.expires}
        <input name="expiresAt" type="datetime-local" />
        <small>{keys.expiresHelp}</small>
      </label>
    </FormDialog>
  );
}

interface NewSecretProps {
  readonly secret: string;
  readonly onDone: () => void;
}

/** The secret of a new key. It is in the memory of this page alone, and leaves it with this box. */
export function NewSecret({ secret, onDone }: NewSecretProps): VNode {
  const { keys } = useTexts().administration;
  const [copying, setCopying] = useState<'done' | 'refused'>();
  // A page without HTTPS has no clipboard.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  return (
    <section class="note" aria-labelledby="new-secret">
      <h2 id="new-secret">{keys.secretTitle}</h2>
      <p>{keys.secretHelp}</p>
      <label>
        {keys.secret}
        <input class="secret" readOnly value={secret} onFocus={({ currentTarget }) => currentTarget.select()} />
      </label>
      <div class="actions">
        {clipboard && (
          <button
            type="button"
            onClick={() =>
              void clipboard.writeText(secret).then(
                () => setCopying('done'),
                () => setCopying('refused'),
              )
            }
          >
            {keys.copy}
          </button>
        )}
        <button type="button" class="primary" onClick={onDone}>
          {keys.done}
        </button>
        <span role="status">{copying && (copying === 'done' ? keys.copied : keys.copyRefused)}</span>
      </div>
    </section>
  );
}
