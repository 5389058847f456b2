/** Following a task over HTTP until it settles. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalboxClient } from '../client/client.ts';
import type { TaskAnswer } from '../contracts/api/answers.ts';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import { SETTLED_STATES } from '../contracts/tasks.ts';
import type { EventAnswer } from './task/shapes.ts';

export interface News {
  /** The task as it is now. */
  readonly task: TaskAnswer;
  /** What has happened since the news before; at first, all that ever happened. */
  readonly events: readonly EventAnswer[];
}

export interface FollowOptions {
  readonly client: SignalboxClient;
  readonly project: string;
  readonly id: string;
  /** Told once each time that Signalbox does not answer, with the reason. */
  readonly onAway: (error: SignalboxError) => void;
}

const AWAY_PAUSE_MS = 2_000;
/** How long Signalbox may be away, restarting for example, before it is given up. */
const PATIENCE_MS = 60_000;

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'log_unavailable',
  'overloaded',
  'rate_limited',
  'shutting_down',
]);

/**
 * The news of a task, until it is in a state that it does not leave by itself. Signalbox is asked to answer when there
 * are some; the task's history is read only then.
 * @throws SignalboxError what the first question meets, `task_not_found`, and `unreachable` after a minute
 */
export async function* follow(options: FollowOptions): AsyncGenerator<News> {
  const { client, project, id } = options;
  // Apart: the history is read after the task, and may know more of it.
  let seen = 0;
  let told = 0;
  for (let task = await client.readTask({ project, task: id }); ; ) {
    if (task.sequence > seen) {
      const { events = [], ...now } = await patiently(options, () =>
        client.readTask({ project, task: id, expand: ['events'] }),
      );
      const news = events.filter(({ sequence }) => sequence > told);
      seen = now.sequence;
      told = Math.max(told, ...news.map(({ sequence }) => sequence));
      yield { task: now, events: news };
      if (SETTLED_STATES.has(now.status)) return;
    }
    task = await patiently(options, () => client.updatedTask({ project, task: id }));
  }
}

/** Asks again while Signalbox is away. @throws SignalboxError what else it meets, and `unreachable` after a minute */
export async function patiently<T>(
  { onAway }: Pick<FollowOptions, 'onAway'>,
  ask: () => Promise<T>,
): Promise<T> {
  let away: { readonly since: number } | null = null;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof SignalboxError) || !PASSING.has(error.code)) throw error;
      if (away === null) onAway(error);
      away ??= { since: performance.now() };
      if (performance.now() - away.since > PATIENCE_MS) throw error;
      await sleep(AWAY_PAUSE_MS);
    }
  }
}
