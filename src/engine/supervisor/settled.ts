import type { StoredRecord } from '../../contracts/events/events.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';

/** The task that this record has settled (done, failed, cancelled, expired); null where it has settled none. */
export function settledBy({ event, transitions }: StoredRecord): { project: string; task: string } | null {
  if (!('task' in event)) return null;
  const moved = transitions.find(({ entity }) => entity === 'task');
  if (!moved || moved.from === moved.to || !(SETTLED_STATES as ReadonlySet<string>).has(moved.to))
    return null;
  return { project: event.project, task: event.task };
}
