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

export function styleOfState(state: TaskState): Style {
  return STYLES[state];
}

/** For the state or the outcome of an attempt. */
export function styleOfAttempt(state: string): Style {
  if (state === 'completed') return 'green';
  return state === 'requested' || state === 'running' ? 'cyan' : 'red';
}
