/** Attempts as bars on the time from the creation of the task to its last event. */
import type { TaskReport } from './task-report.ts';

export interface Bar {
  readonly attempt: number;
  readonly agent: string;
  readonly state: string;
  /** Share of the whole, in percent: where it begins, and how long it is. */
  readonly start: number;
  readonly length: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** A bar that lasted no time is still to be seen. */
const SHORTEST = 0.6;

export function barsOf({ task, attempts, events }: TaskReport): readonly Bar[] {
  const begin = task.createdAt;
  const end = Math.max(begin + 1, ...events.map(({ record }) => record.time));
  const share = (ms: number): number => Math.round((ms / (end - begin)) * 10_000) / 100;
  return attempts.map(({ attempt, agent, state, claimedAt, startedAt, endedAt }) => {
    const from = startedAt ?? claimedAt;
    const to = endedAt ?? end;
    const length = Math.max(SHORTEST, share(to - from));
    return {
      attempt,
      agent,
      state,
      start: Math.max(0, Math.min(share(from - begin), 100 - length)),
      length: Math.min(length, 100),
      duration: to - from,
    };
  });
}
