/**
 * Ids and keys: of projects, tasks, attempts and agents. Ids are checked where they come in (by the schemas of operations
 * and messages, or the functions below), and are plain strings from there on.
 */
import { SignalboxError } from './errors.ts';

/** Safe as a NATS subject token, a file name and a URL segment, without escaping. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** The subject token of events that belong to no project. No project may have this name. */
export const SYSTEM_PROJECT = '_system';

/** The project of background commands. Its tasks can be read like all others, but not created directly. */
export const BACKGROUND_PROJECT = '_background';

/** @param kind what the id names, for the message. @throws SignalboxError `invalid_id` */
export function checkedId(kind: string, text: string): string {
  if (ID_PATTERN.test(text)) return text;
  throw new SignalboxError(
    'invalid_id',
    `${kind} ${JSON.stringify(text.slice(0, 80))} is not valid: use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
    { details: { kind } },
  );
}

/** @throws SignalboxError `invalid_id` */
export function checkedProject(text: string): string {
  if (text !== SYSTEM_PROJECT) return checkedId('project', text);
  throw new SignalboxError('invalid_id', `project "${SYSTEM_PROJECT}" is reserved: choose another name`);
}

/** @throws SignalboxError `invalid_id` */
export function checkedTask({ project, task }: TaskRef): TaskRef {
  return { project: checkedProject(project), task: checkedId('task id', task) };
}

/** Names one task. Events, and most records, can be passed as they are. */
export interface TaskRef {
  readonly project: string;
  readonly task: string;
}

/** Names one attempt of a task; attempts are numbered from 1. */
export interface AttemptRef extends TaskRef {
  readonly attempt: number;
}

/** The last keys that were made: what happens to a task asks for them many times in a row, and a new text is hashed anew. */
const lastTask = { project: '', task: '', key: '/' };
const lastAttempt = { task: '', attempt: 0, key: '' };

/** The key of a task in maps and in the log: `project/task`. */
export function taskKey({ project, task }: TaskRef): string {
  if (lastTask.task !== task || lastTask.project !== project) {
    lastTask.project = project;
    lastTask.task = task;
    lastTask.key = `${project}/${task}`;
  }
  return lastTask.key;
}

/** The key of an attempt in maps and in the log: `project/task/attempt`. */
export function attemptKey(ref: AttemptRef): string {
  const task = taskKey(ref);
  const { attempt } = ref;
  if (lastAttempt.task !== task || lastAttempt.attempt !== attempt) {
    lastAttempt.task = task;
    lastAttempt.attempt = attempt;
    lastAttempt.key = `${task}/${attempt}`;
  }
  return lastAttempt.key;
}

/** The task that a key of a task or of an attempt names. */
export function parseTaskKey(key: string): TaskRef {
  const [project = '', task = ''] = key.split('/');
  return { project, task };
}

export function parseAttemptKey(key: string): AttemptRef {
  return { ...parseTaskKey(key), attempt: Number(key.split('/')[2]) };
}
