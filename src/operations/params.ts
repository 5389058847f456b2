/** Path parameters, and the paths that several operations share. */
import { z } from 'zod';
import { SignalboxError } from '../contracts/errors.ts';
import { checkedProject, ID_PATTERN } from '../contracts/ids.ts';

const id = z.string().regex(ID_PATTERN, {
  error: ({ input }) => `${quoted(input)} is not valid: use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
});
const project = id.transform(checkedProject);
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
export const taskParams = z.strictObject({ project, task: id });
export const attemptParams = z.strictObject({ project, task: id, attempt });
export const agentParams = z.strictObject({ agent: id });
export const queueParams = z.strictObject({ kind: queueKind, name: id });
export const webhookParams = z.strictObject({ webhook: id });
/** A task of the project that the operation names. */
export const namedTaskParams = z.strictObject({ task: id });

export const TASKS = '/api/projects/{project}/tasks';
export const TASK = `${TASKS}/{task}`;
export const ATTEMPT = `${TASK}/attempts/{attempt}`;

function quoted(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 80));
}
