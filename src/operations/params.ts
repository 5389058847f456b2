/** Path parameters, and the paths that several operations share. */
import { z } from 'zod';
import { SignalboxError } from '../contracts/errors.ts';
import { checkedId, checkedProject, ID_PATTERN } from '../contracts/ids.ts';

/** @param check throws `invalid_id` with the kind of the id in its details; a parameter that is missing counts as empty */
const idChecked = (check: (text: string) => string) =>
  z.preprocess((given: string) => check(given ?? ''), z.string().regex(ID_PATTERN));
const idOf = (kind: string) => idChecked((text) => checkedId(kind, text));
const project = idChecked(checkedProject);
const task = idOf('task id');
const attempt = z.preprocess((given: string | number) => {
  if (/^[1-9]\d{0,8}$/.test(String(given))) return Number(given);
  const what = `attempt ${quoted(given)}: expected its number, 1 for the first`;
  throw new SignalboxError('invalid_request', what);
}, z.int().min(1).max(999_999_999));
const queueKind = z.preprocess(
  (given: string) => {
    if (given === 'agent' || given === 'type') return given;
    const what = `queue ${quoted(given)}: expected "agent" for the queue of one agent, or "type" for that of a type`;
    throw new SignalboxError('invalid_request', what);
  },
  z.enum(['agent', 'type']),
);

export const projectParams = z.strictObject({ project });
export const taskParams = z.strictObject({ project, task });
export const attemptParams = z.strictObject({ project, task, attempt });
export const agentParams = z.strictObject({ agent: idOf('agent id') });
export const queueParams = z.strictObject({ kind: queueKind, name: idOf('queue') });
export const budgetParams = z.strictObject({ budget: idOf('budget') });
export const templateParams = z.strictObject({ project, template: idOf('template') });
export const scheduleParams = z.strictObject({ schedule: idOf('schedule') });
export const questionParams = z.strictObject({ project, task, question: idOf('question id') });
export const linkParams = z.strictObject({ link: z.string().min(1).max(400) });
export const ruleParams = z.strictObject({ agent: idOf('agent id'), rule: idOf('rule id') });
export const webhookParams = z.strictObject({ webhook: idOf('webhook') });
/** A task of the project that the operation names. */
export const namedTaskParams = z.strictObject({ task });

export const TASKS = '/api/projects/{project}/tasks';
export const TASK = `${TASKS}/{task}`;
export const QUESTION = `${TASK}/questions/{question}`;
export const ATTEMPT = `${TASK}/attempts/{attempt}`;

function quoted(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 80));
}
