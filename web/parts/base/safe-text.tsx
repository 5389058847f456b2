/** Text from agents, shown as text only: markup and control characters in it have no effect. */
import { oneLine, printable } from '../../../src/base/text/printable.ts';

/** On one line. @param isPart whether it is part of a sentence, whose spaces at its ends count */
export function Line({ text, isPart = false }: { readonly text: string; readonly isPart?: boolean }) {
  return <>{isPart ? printable(text.replaceAll(/\s+/g, ' ')) : oneLine(text)}</>;
}

/** With its line breaks; JSON is indented. */
export function Block({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class="block" tabIndex={0} aria-label={label}>
      <pre>{printable(indented(text))}</pre>
    </section>
  );
}

function indented(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
