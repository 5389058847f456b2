/** Pause and resume a queue. */
import { path } from '../../api/http.ts';
import type { QueueAnswer } from '../../api/types.ts';
import { type Decision, Decisions } from './decisions.tsx';

const PAUSE: Decision = {
  verb: 'pause',
  label: 'Pause',
  hint: 'Assigns no task of this queue until it is resumed. Running attempts continue, and tasks can be added.',
  done: 'paused',
};
const RESUME: Decision = {
  verb: 'resume',
  label: 'Resume',
  isImmediate: true,
  hint: 'Assigns the tasks of this queue again.',
  done: 'resumed',
};

export interface QueueActionsProps {
  readonly queue: QueueAnswer;
  readonly onDone: () => void;
}

export function QueueActions({ queue: { kind, name, paused }, onDone }: QueueActionsProps) {
  const subject = `queue of ${kind} ${name}`;
  return (
    <Decisions
      decisions={[paused === null ? PAUSE : RESUME]}
      subject={subject}
      name={`The ${subject}`}
      url={path`/api/queues/${kind}/${name}`}
      onDone={onDone}
    />
  );
}
