/** The times of a schedule. All are epoch milliseconds. */
import { lastCron, nextCron } from '../../../base/cron.ts';
import { sha256 } from '../../../base/hash.ts';
import type { ScheduleSpec } from '../../../contracts/schedules.ts';
import { SCHEDULE_KEY_PREFIX } from '../../runtime/task-ids.ts';

type Times = Pick<ScheduleSpec, 'recurrence' | 'zone'>;

/** The first time after a moment; null if there is none. */
export function nextTime({ recurrence, zone }: Times, after: number): number | null {
  switch (recurrence.kind) {
    case 'cron':
      return nextCron(recurrence.cron, zone, after);
    case 'every':
      return (Math.floor(after / recurrence.every_ms) + 1) * recurrence.every_ms;
    case 'at':
      return recurrence.at_ms > after ? recurrence.at_ms : null;
  }
}

/** The last time after one moment and not after another; null if there is none. */
export function lastTime(times: Times, after: number, until: number): number | null {
  const { recurrence, zone } = times;
  if (recurrence.kind === 'cron') return lastCron(recurrence.cron, zone, after, until);
  const last =
    recurrence.kind === 'at'
      ? recurrence.at_ms
      : Math.floor(until / recurrence.every_ms) * recurrence.every_ms;
  return last > after && last <= until ? last : null;
}

/** The next times, at most `count`. */
export function nextTimes(times: Times, after: number, count: number): number[] {
  const found: number[] = [];
  for (let next = nextTime(times, after); next !== null && found.length < count; next = nextTime(times, next))
    found.push(next);
  return found;
}

/** How much later than its time a task is created: it depends on the schedule and the time alone. */
export function jitterOf(
  id: string,
  { jitter_ms }: Pick<ScheduleSpec, 'jitter_ms'>,
  nominal: number,
): number {
  if (jitter_ms === 0) return 0;
  return Number.parseInt(sha256(`${id}/${nominal}`).slice(0, 12), 16) % (jitter_ms + 1);
}

/** The idempotency key of the task for a time: a time makes one task, over crashes and take-overs. */
export function firingKey(id: string, nominal: number): string {
  return `${SCHEDULE_KEY_PREFIX}${id}/${new Date(nominal).toISOString()}`;
}
