import type { ComponentChildren, VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { useTexts } from '../texts/texts.js';
import { ErrorBox } from './error-box.js';

interface FormDialogProps {
  /** The text of the button that shows the form. */
  readonly button: ComponentChildren;
  readonly title: string;
  /** The text of the button that sends the form. */
  readonly submit: string;
  readonly children: ComponentChildren;
  /** Sends the form. @returns true when it was accepted: the form closes */
  readonly onSubmit: (fields: FormData) => Promise<boolean>;
  readonly error?: Error | undefined;
  readonly isRunning?: boolean;
  readonly isPrimary?: boolean;
}

/**
 * A button that shows a form. The form stays, with what was typed, while the API refuses it. Once it closes, nothing of
 * that is kept.
 */
export function FormDialog(props: FormDialogProps): VNode {
  const { button, title, submit, children, onSubmit, error, isRunning, isPrimary } = props;
  const { parts } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  async function send(sent: HTMLFormElement): Promise<void> {
    if (await onSubmit(new FormData(sent))) dialog.current?.close();
  }
  return (
    <>
      <button type="button" class={isPrimary ? 'primary' : undefined} onClick={() => dialog.current?.showModal()}>
        {button}
      </button>
      <dialog ref={dialog} aria-labelledby={id} onClose={() => form.current?.reset()}>
        <form
          ref={form}
          autocomplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            void send(event.currentTarget);
          }}
        >
          <h2 id={id}>{title}</h2>
          {children}
          {error && <ErrorBox error={error} />}
          <div class="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              {parts.close}
            </button>
            <button type="submit" class="primary" disabled={isRunning}>
              {submit}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
