/** More time for an attempt that runs, or its end. */
import { useSignal } from '@preact/signals';
import { parseDuration } from '../../../src/base/duration.ts';
import { type AttemptRef, attemptKey } from '../../../src/contracts/ids.ts';
import { path, post } from '../../api/http.ts';
import type { AttemptAnswer } from '../../api/types.ts';
import { mayNow } from '../../state/rights.ts';
import { decider } from '../../state/session.ts';
import { ActionButton } from '../base/action-button.tsx';
import { Dialog } from '../base/dialog.tsx';
import { DialogForm } from '../base/dialog-form.tsx';
import { ago } from '../base/format.ts';
import { notify } from '../base/notices.tsx';

export interface AttemptActionsProps extends AttemptRef {
  readonly status: AttemptAnswer['status'];
  readonly onDone?: () => void;
}

const RUNNING: ReadonlySet<string> = new Set(['running', 'suspected', 'waiting']);

/** Renders nothing for an attempt that is over or being stopped, and for users who may not decide. */
export function AttemptActions({ project, task, attempt, status, onDone }: AttemptActionsProps) {
  const isAsking = useSignal(false);
  if (!mayNow('operate') || !(RUNNING.has(status) || status === 'requested')) return null;
  const url = path`/api/projects/${project}/tasks/${task}/attempts/${attempt}`;
  const kill = async (): Promise<void> => {
    await post(`${url}/kill`, decider());
    notify('The attempt is being stopped.');
    onDone?.();
  };
  return (
    <>
      {RUNNING.has(status) && (
        <button
          type="button"
          aria-keyshortcuts="e"
          aria-label={`More time: attempt ${attemptKey({ project, task, attempt })}`}
          title="It times out later, and is not ended for its silence until then."
          onClick={() => {
            isAsking.value = true;
          }}
        >
          More time
        </button>
      )}
      <ActionButton
        tone="bad"
        shortcut="K"
        action={kill}
        title="Ends the processes of this attempt, by force after the grace period. The task is tried again if attempts are left."
      >
        Stop attempt
      </ActionButton>
      {isAsking.value && (
        <MoreTime
          url={`${url}/extend`}
          onClose={() => {
            isAsking.value = false;
          }}
          onDone={onDone}
        />
      )}
    </>
  );
}

interface MoreTimeProps {
  readonly url: string;
  readonly onClose: () => void;
  readonly onDone: (() => void) | undefined;
}

function MoreTime({ url, onClose, onDone }: MoreTimeProps) {
  const typed = useSignal('10m');
  const send = async (): Promise<void> => {
    const seconds = parseDuration(typed.value);
    if (seconds === null) throw new Error('Expected a time such as 90s, 10m or 2h.');
    const { deadline } = await post<AttemptAnswer>(url, { ...decider(), seconds });
    notify(`The attempt times out ${ago(deadline ?? '', Date.now())}.`);
    onClose();
    onDone?.();
  };
  return (
    <Dialog title="More time" onClose={onClose}>
      <DialogForm label="Give more time" send={send} onClose={onClose}>
        <label>
          How much more, such as 90s, 10m or 2h
          <input
            autoFocus
            required
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
          />
        </label>
      </DialogForm>
    </Dialog>
  );
}
