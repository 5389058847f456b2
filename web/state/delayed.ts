/** A value that follows another one when that has not changed for a moment: for what is typed. */
import { useEffect, useState } from 'preact/hooks';

const DELAY_MS = 250;

export function useDelayed<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), DELAY_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
