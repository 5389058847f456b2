/** Ids of tasks that follow from something else, so that the same thing makes the same task. */
import { sha256 } from '../../base/hash.ts';

const KEYED_ID_LENGTH = 20;

/** Keys of tasks that schedules create, and ids that follow from a key: no agent may take one beforehand. */
export const SCHEDULE_KEY_PREFIX = 'schedule/';
export const KEYED_ID = /^k-[0-9a-f]{20}$/;

/** The id of the task with an idempotency key: the key finds its task after it has left memory, too. */
export function keyedTaskId(project: string, key: string): string {
  return `k-${sha256(`${project}/${key}`).slice(0, KEYED_ID_LENGTH)}`;
}
