/** Why an attempt failed: its error, and the end of what its process printed on standard error. */
import { printable } from '../../../src/base/text/printable.ts';
import type { AttemptAnswer } from '../../api/types.ts';
import { Line } from '../base/safe-text.tsx';

/** Lines of standard error that are shown at once. */
const SHOWN_LINES = 12;

interface LastErrorProps {
  readonly attempt: Pick<AttemptAnswer, 'attempt' | 'error' | 'stderr_tail'>;
  /** The page of the attempt; absent on that page. */
  readonly href?: string;
}

/** Nothing for an attempt without an error. */
export function LastError({ attempt: { attempt, error, stderr_tail: stderr }, href }: LastErrorProps) {
  if (error === null) return null;
  return (
    <div class="why last-error" data-tone="bad">
      <p>
        <strong>{href === undefined ? 'Error' : `Why: attempt ${attempt} failed`}: </strong>
        <Line text={error} /> {href !== undefined && <a href={href}>Open its log</a>}
      </p>
      {href !== undefined && stderr !== null && <Messages text={stderr} />}
    </div>
  );
}

/** The last lines of what was printed on standard error. */
export function Messages({ text }: { readonly text: string }) {
  const lines = printable(text).trimEnd().split('\n');
  if (lines.join('').trim() === '') return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class="block messages" tabIndex={0} aria-label="End of standard error">
      <pre>{lines.slice(-SHOWN_LINES).join('\n')}</pre>
    </section>
  );
}
