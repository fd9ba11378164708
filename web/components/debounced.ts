import { useEffect, useState } from 'preact/hooks';

/** Gives a value once it has not changed for a while. @param waitMs that while, milliseconds */
export function useDebounced<T>(value: T, waitMs: number): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), waitMs);
    return () => clearTimeout(timer);
  }, [value, waitMs]);
  return settled;
}
