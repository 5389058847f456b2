/** Which errors an operation may answer with: what each declares, and what comes with its form. */
import type { ErrorCode } from '../contracts/errors.ts';
import type { Declared } from './operation.ts';

/** From the host and origin of the request to a log that does not answer. */
const ALWAYS: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'rate_limited',
  'internal',
  'log_unavailable',
  'shutting_down',
];
const WITH_ADDRESS: readonly ErrorCode[] = ['invalid_id'];
const WITH_BODY: readonly ErrorCode[] = ['body_too_large', 'unsupported_media_type'];
const WITH_CALLER: readonly ErrorCode[] = ['unauthorized'];

/** What every decision may meet on its way into the log. */
export const COMMITS: readonly ErrorCode[] = [
  'illegal_transition',
  'task_archived',
  'body_too_large',
  'overloaded',
  'log_fenced',
];

/** Every code that this operation may refuse with, each once. */
export function refusalsOf({
  method,
  path,
  access,
  invalidBody,
  refusals = [],
}: Declared): readonly ErrorCode[] {
  return [
    ...new Set([
      ...ALWAYS,
      ...(access === 'public' ? [] : WITH_CALLER),
      ...(path.includes('/:') ? WITH_ADDRESS : []),
      ...(method === 'GET' ? [] : WITH_BODY),
      ...(invalidBody === undefined ? [] : [invalidBody]),
      ...refusals,
    ]),
  ];
}
