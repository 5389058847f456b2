/** Pause and resume a queue, for who may. */
import { useSignal } from '@preact/signals';
import type { QueueAnswer } from '../../../src/contracts/api/answers.ts';
import { path, post } from '../../api/http.ts';
import { notify } from '../base/notices.tsx';
import { type DecisionBody, Question } from './question.tsx';

const PAUSE = {
  verb: 'pause',
  label: 'Pause',
  hint: 'Nobody is given a task of this queue until it is resumed; what runs goes on, and tasks may be added.',
  done: 'paused',
} as const;
const RESUME = {
  verb: 'resume',
  label: 'Resume',
  hint: 'Its tasks are given out again, at once.',
  done: 'open',
} as const;

export interface QueueActionsProps {
  readonly queue: QueueAnswer;
  readonly onDone: () => void;
}

export function QueueActions({ queue, onDone }: QueueActionsProps) {
  const isAsking = useSignal(false);
  const { verb, label, hint, done } = queue.paused === null ? PAUSE : RESUME;
  const title = `${label}: ${queueText(queue)}`;
  const close = (): void => {
    isAsking.value = false;
  };
  const send = async (body: DecisionBody): Promise<void> => {
    await post(path`/api/queues/${queue.kind}/${queue.name}/${verb}`, body);
    notify(`The ${queueText(queue)} is ${done}.`);
    close();
    onDone();
  };
  return (
    <div class="actions">
      <button
        type="button"
        title={hint}
        aria-label={title}
        onClick={() => {
          isAsking.value = true;
        }}
      >
        {label}
      </button>
      {isAsking.value && (
        <Question title={title} hint={hint} label={label} comment="possible" send={send} onClose={close} />
      )}
    </div>
  );
}

function queueText({ kind, name }: QueueAnswer): string {
  return `queue of ${kind} ${name}`;
}
