/** The form of a dialog: its fields, why it could not be sent, and the buttons. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { reasonOf } from '../../api/http.ts';

export interface DialogFormProps {
  /** What the button says that sends it. */
  readonly label: string;
  readonly tone?: 'good' | 'bad' | undefined;
  /** An error is shown in the form, which stays open. */
  readonly send: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function DialogForm({ label, tone, send, onClose, children }: DialogFormProps) {
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    isSending.value = true;
    try {
      await send();
    } catch (error) {
      trouble.value = reasonOf(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <form onSubmit={submit} class="form">
      {children}
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="actions end">
        <button type="button" class="quiet" onClick={onClose}>
          Back
        </button>
        <button type="submit" class="strong" data-tone={tone} disabled={isSending.value}>
          {label}
        </button>
      </div>
    </form>
  );
}
