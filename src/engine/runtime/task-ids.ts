/**
 * Ids of tasks that follow from something else, so that the same thing makes the same task.
 *
 * An agent can compute them, so it may take none of them beforehand (`isReserved`).
 */
import { sha256 } from '../../base/hash.ts';

const HASH_LENGTH = 20;
const MAX_ID_LENGTH = 64;

/** Keys of tasks that schedules create: no agent may take one beforehand. */
export const SCHEDULE_KEY_PREFIX = 'schedule/';

/** The forms of all ids that are made here. */
const RESERVED_FORMS = [
  // Of a key.
  /^k-[0-9a-f]{20}$/,
  // Of an answer to a question, and of the review of an attempt, in both forms.
  /-q-[\w-]+$/,
  /-r\d+$/,
  /-[qr][0-9a-f]{20}$/,
];

/** Whether Signalbox itself may once create a task with this id. */
export function isReserved(id: string): boolean {
  return RESERVED_FORMS.some((form) => form.test(id));
}

/** The id of the task with an idempotency key: the key finds its task after it has left memory, too. */
export function keyedTaskId(project: string, key: string): string {
  return `k-${sha256(`${project}/${key}`).slice(0, HASH_LENGTH)}`;
}

/** The ids for a task in which the question of a task is answered. @param hash names the question */
export function answerTaskIds(task: string, question: string, hash: string): string[] {
  return auxiliaryIds(task, `q-${question}`, hash);
}

/** The ids for a task in which an attempt of a task is reviewed. @param hash names the attempt */
export function reviewTaskIds(task: string, attempt: number, hash: string): string[] {
  return auxiliaryIds(task, `r${attempt}`, hash);
}

/** Always the same ids for the same purpose. The second one is used if another task has the first one, or it is too long. */
function auxiliaryIds(task: string, suffix: string, hash: string): string[] {
  const plain = `${task}-${suffix}`;
  const other = `${task.slice(0, 40)}-${suffix.slice(0, 1)}${hash.slice(0, HASH_LENGTH)}`;
  return plain.length <= MAX_ID_LENGTH ? [plain, other] : [other];
}
