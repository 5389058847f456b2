/** Follows a task over HTTP until it settles. */
import { setTimeout as sleep } from 'node:timers/promises';
import { printable } from '../base/text/printable.ts';
import type { EventAnswer, SignalboxClient } from '../client/client.ts';
import type { TaskAnswer } from '../contracts/api/answers.ts';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import { SETTLED_STATES } from '../contracts/tasks.ts';
import type { Terminal } from './terminal.ts';

export interface Update {
  /** The task as it is now. */
  readonly task: TaskAnswer;
  /** Events since the previous update; in the first update, all events of the task. */
  readonly events: readonly EventAnswer[];
}

export interface FollowOptions {
  readonly client: SignalboxClient;
  readonly project: string;
  readonly id: string;
  /** Called once each time that Signalbox becomes unreachable. */
  readonly onUnreachable: (error: SignalboxError) => void;
}

const RETRY_MS = 2_000;
/** How long Signalbox may be unreachable, during a restart for example. */
const MAX_UNREACHABLE_MS = 60_000;

const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'log_unavailable',
  'overloaded',
  'rate_limited',
  'shutting_down',
]);

/**
 * Updates of a task until it settles. Uses long polling, and reads the events of the task only after a change.
 * @throws SignalboxError any error of the first request, `task_not_found`, and `unreachable` after a minute
 */
export async function* follow({ client, project, id, onUnreachable }: FollowOptions): AsyncGenerator<Update> {
  // Two numbers: the events are read after the task, and may be newer than it.
  let taskSequence = 0;
  let eventSequence = 0;
  for (let task = await client.readTask({ project, task: id }); ; ) {
    if (task.sequence > taskSequence) {
      const { events: all = [], ...now } = await retryWhileUnreachable(onUnreachable, () =>
        client.readTask({ project, task: id, expand: ['events'] }),
      );
      const events = all.filter(({ sequence }) => sequence > eventSequence);
      taskSequence = now.sequence;
      eventSequence = Math.max(eventSequence, ...events.map(({ sequence }) => sequence));
      yield { task: now, events };
      if (SETTLED_STATES.has(now.status)) return;
    }
    task = await retryWhileUnreachable(onUnreachable, () => client.updatedTask({ project, task: id }));
  }
}

/** Repeats a request while Signalbox is unreachable. @throws SignalboxError other errors, and `unreachable` after a minute */
export async function retryWhileUnreachable<T>(
  onUnreachable: FollowOptions['onUnreachable'],
  request: () => Promise<T>,
): Promise<T> {
  let since: number | null = null;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof SignalboxError) || !TRANSIENT.has(error.code)) throw error;
      if (since === null) onUnreachable(error);
      since ??= performance.now();
      if (performance.now() - since > MAX_UNREACHABLE_MS) throw error;
      await sleep(RETRY_MS);
    }
  }
}

export function noteUnreachable(terminal: Pick<Terminal, 'note'>): FollowOptions['onUnreachable'] {
  return ({ message }) => terminal.note(`signalbox: ${printable(message)}; retrying`);
}
