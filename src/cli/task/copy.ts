/** The request of a task that exists, for one that is like it. */
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { type CreateTask, createTaskSchema } from '../../contracts/api/requests.ts';
import { copiedFieldsOf } from '../../contracts/copied-fields.ts';
import { parse } from '../../operations/parse.ts';

/** @throws SignalboxError `invalid_request` if the server has a task that this version cannot ask for */
export function requestOf(task: TaskAnswer): CreateTask {
  return parse(createTaskSchema, copiedFieldsOf(task), 'copy');
}
