/** Approve, reject, unblock, retry, block and cancel a task. */
import { path } from '../../api/http.ts';
import type { TaskAnswer } from '../../api/types.ts';
import { keyOf } from '../../state/cards.ts';
import { type Decision, Decisions } from './decisions.tsx';

export interface TaskDecision extends Decision {
  readonly verb: 'approve' | 'reject' | 'cancel' | 'retry' | 'block' | 'unblock' | 'steer';
  /** States in which it is possible. */
  readonly from: readonly TaskAnswer['status'][];
}

export const TASK_DECISIONS: readonly TaskDecision[] = [
  {
    verb: 'approve',
    isImmediate: true,
    key: 'a',
    label: 'Approve',
    hint: 'Completes the task. Tasks that depend on it can start.',
    done: 'approved',
    from: ['review'],
    tone: 'good',
  },
  {
    verb: 'reject',
    key: 'r',
    label: 'Reject',
    hint: 'Sends the task back: the agent tries again with your comment.',
    done: 'sent back',
    from: ['review'],
    tone: 'bad',
    needsComment: true,
  },
  {
    verb: 'unblock',
    isImmediate: true,
    key: 'u',
    label: 'Unblock',
    hint: 'Continues the task. The agent reads your comment.',
    done: 'unblocked',
    from: ['blocked'],
    tone: 'good',
  },
  {
    verb: 'retry',
    isImmediate: true,
    key: 't',
    label: 'Retry',
    hint: 'Makes the task pending again, with fresh attempts.',
    done: 'pending again',
    from: ['failed', 'expired'],
  },
  {
    verb: 'steer',
    key: 'm',
    label: 'Tell the agent',
    hint: 'Sends a message to the agent: at once if it can take it, else with its next answer or prompt.',
    done: 'steered',
    from: ['scheduled', 'pending', 'claimed', 'working', 'review', 'blocked'],
    needsComment: true,
    field: 'text',
  },
  {
    verb: 'block',
    key: 'b',
    label: 'Block',
    hint: 'Stops a running attempt. No attempt starts until the task is unblocked.',
    done: 'blocked',
    from: ['scheduled', 'pending', 'working'],
  },
  {
    verb: 'cancel',
    key: 'x',
    label: 'Cancel task',
    hint: 'Stops a running attempt. This cannot be undone.',
    done: 'cancelled',
    from: ['scheduled', 'pending', 'claimed', 'working', 'review', 'blocked'],
    tone: 'bad',
  },
];

export interface TaskActionsProps {
  readonly task: Pick<TaskAnswer, 'project' | 'id' | 'title' | 'status' | 'children'>;
  /** Offers only these; all that are possible if absent. */
  readonly only?: readonly TaskDecision['verb'][];
  readonly onDone?: () => void;
}

export function TaskActions({ task, only, onDone }: TaskActionsProps) {
  const { project, id, title, status, children } = task;
  return (
    <Decisions
      decisions={TASK_DECISIONS.filter(
        ({ verb, from }) => from.includes(status) && (only === undefined || only.includes(verb)),
      ).map((each) => (each.verb === 'cancel' ? { ...each, below: children?.unsettled_below ?? 0 } : each))}
      subject={title}
      name={keyOf(task)}
      url={path`/api/projects/${project}/tasks/${id}`}
      onDone={onDone}
    />
  );
}
