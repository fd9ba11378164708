import type { InputHTMLAttributes, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

interface TypedInputProps extends Omit<InputHTMLAttributes, 'value' | 'onInput' | 'onChange'> {
  /** The value that was taken last. */
  readonly value: string;
  /** Takes what was typed, when the viewer presses Enter or leaves the box. */
  readonly onTake: (value: string) => void;
}

/** A box whose value is taken once it is complete. Until then it keeps what is typed while the page is drawn again. */
export function TypedInput({ value, onTake, ...rest }: TypedInputProps): VNode {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <input
      {...rest}
      value={typed}
      onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      onChange={({ currentTarget }) => onTake(currentTarget.value)}
    />
  );
}
