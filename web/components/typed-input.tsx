import type { InputHTMLAttributes, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

interface TypedInputProps extends Omit<InputHTMLAttributes, 'value' | 'onInput' | 'onChange'> {
  /** The value that was taken last. */
  readonly value: string;
  /** Takes what was typed, when the viewer presses Enter or leaves the box. */
  readonly onTake: (value: string) => void;
  /** True takes it after a pause of the typing too. */
  readonly isLive?: boolean;
}

/** A pause after which what was typed is taken, milliseconds. */
const pauseMs = 400;

/** A box whose value is taken once it is complete. Until then it keeps what is typed while the page is drawn again. */
export function TypedInput({ value, onTake, isLive, ...rest }: TypedInputProps): VNode {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (!isLive || typed === value) return;
    const timer = setTimeout(() => onTake(typed), pauseMs);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      {...rest}
      value={typed}
      onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      onChange={({ currentTarget }) => onTake(currentTarget.value)}
    />
  );
}
