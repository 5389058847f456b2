/** A button that sends a request, and says why it failed. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { reasonOf } from '../../api/http.ts';
import { notify } from './notices.tsx';

export interface ActionButtonProps {
  /** The button is disabled until it resolves. */
  readonly action: () => Promise<void>;
  readonly class?: string;
  readonly tone?: 'good' | 'bad';
  readonly title?: string;
  readonly disabled?: boolean;
  /** The key that presses it. */
  readonly shortcut?: string;
  readonly children: ComponentChildren;
}

export function ActionButton({
  action,
  tone,
  disabled = false,
  shortcut,
  children,
  ...rest
}: ActionButtonProps) {
  const isSending = useSignal(false);
  const run = async (): Promise<void> => {
    isSending.value = true;
    try {
      await action();
    } catch (error) {
      notify(reasonOf(error), 'bad');
    } finally {
      isSending.value = false;
    }
  };
  return (
    <button
      type="button"
      {...rest}
      data-tone={tone}
      aria-keyshortcuts={shortcut}
      disabled={disabled || isSending.value}
      onClick={() => void run()}
    >
      {children}
    </button>
  );
}
