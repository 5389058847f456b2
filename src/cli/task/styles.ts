/** Colours of tasks and attempts by status. */
import type { TaskState } from '../../contracts/tasks.ts';
import type { Style } from '../terminal.ts';

const STYLES: Readonly<Record<TaskState, Style>> = {
  scheduled: 'dim',
  pending: 'dim',
  claimed: 'blue',
  working: 'cyan',
  review: 'magenta',
  done: 'green',
  failed: 'red',
  blocked: 'yellow',
  cancelled: 'yellow',
  expired: 'red',
};

export function styleOfTask(status: TaskState): Style {
  return STYLES[status];
}

/** What follows the id of a task: as in `is in review`, `has failed`. */
export function statusPhrase(status: TaskState): string {
  if (status === 'failed' || status === 'expired') return `has ${status}`;
  return status === 'review' ? 'is in review' : `is ${status}`;
}

/** By the status or the outcome of an attempt. */
export function styleOfAttempt(status: string): Style {
  if (status === 'completed') return 'green';
  return status === 'requested' || status === 'running' ? 'cyan' : 'red';
}
