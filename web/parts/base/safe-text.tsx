/**
 * Text from agents.
 *
 * X1 of src/contracts/printable.ts: whatever an agent wrote is shown as text; nothing in it is obeyed.
 */
import { oneLine, printable } from '../../../src/contracts/printable.ts';

/** In one line. */
export function Line({ text }: { readonly text: string }) {
  return <>{oneLine(text)}</>;
}

/** With its line breaks; JSON is set in order. */
export function Block({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
    <section class="block" tabIndex={0} aria-label={label}>
      <pre>{printable(ordered(text))}</pre>
    </section>
  );
}

function ordered(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
