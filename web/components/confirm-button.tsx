import type { ComponentChildren, VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { useTexts } from '../texts/texts.js';

interface ConfirmButtonProps {
  readonly children: ComponentChildren;
  /** What happens, as a question. */
  readonly question: string;
  /** The text of the button that does it. */
  readonly confirm: string;
  readonly onConfirm: () => void;
  readonly disabled?: boolean;
}

/** A button for what cannot be undone. It asks once. */
export function ConfirmButton({ children, question, confirm, onConfirm, disabled }: ConfirmButtonProps): VNode {
  const { parts } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  return (
    <>
      <button type="button" class="danger" disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {children}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
        <p id={id}>{question}</p>
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {parts.cancel}
          </button>
          <button
            type="button"
            class="danger"
            onClick={() => {
              dialog.current?.close();
              onConfirm();
            }}
          >
            {confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
