/** A button that copies a text. */
import { notify } from './notices.tsx';

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, as in "id". */
  readonly what: string;
}

export function CopyButton({ text, what }: CopyButtonProps) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      notify(`Copied the ${what}.`);
    } catch {
      // Browsers offer the clipboard on secure addresses only: https, and http on this machine.
      notify('The browser does not allow this page to copy.', 'bad');
    }
  };
  return (
    <button
      type="button"
      class="quiet copy"
      aria-label={`Copy the ${what}`}
      title={`Copy the ${what}`}
      onClick={copy}
    >
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M9 9h10v11H9zM5 15V4h10" />
      </svg>
    </button>
  );
}
