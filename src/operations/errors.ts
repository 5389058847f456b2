/**
 * Errors as answers: RFC 9457 problem details, the HTTP status of every code, and the codes that an operation may answer with.
 *
 * Every answer that is not a success is a problem with a code of the one table. An unexpected error is logged in full
 * and answered without its text.
 */
import type { FieldError, Problem } from '../contracts/api/system-answers.ts';
import { ERROR_CODES, type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import type { Operation } from './operation.ts';

/** The HTTP status of every code. Exhaustive: a new code does not compile until it has one. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_task: 422,
  invalid_id: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  task_not_found: 404,
  agent_not_found: 404,
  queue_not_found: 404,
  no_such_moment: 404,
  past_pending: 503,
  method_not_allowed: 405,
  schedule_not_found: 404,
  template_not_found: 404,
  budget_not_found: 404,
  schedule_exists: 409,
  workspace_not_found: 404,
  workspace_in_use: 409,
  workspace_has_work: 409,
  diff_not_found: 404,
  task_exists: 409,
  idempotency_conflict: 409,
  illegal_transition: 409,
  not_editable: 409,
  output_required: 409,
  background_off: 409,
  stale_attempt: 409,
  task_archived: 409,
  question_not_found: 404,
  question_exists: 409,
  question_answered: 409,
  question_too_large: 413,
  too_many_questions: 409,
  option_not_offered: 422,
  answer_invalid: 422,
  answer_too_large: 413,
  own_question: 403,
  link_invalid: 403,
  link_used: 410,
  link_expired: 410,
  rule_not_found: 404,
  too_many_messages: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  content_unreadable: 422,
  rate_limited: 429,
  overloaded: 503,
  log_unavailable: 503,
  shutting_down: 503,
  log_fenced: 503,
  log_corrupt: 503,
  nats_unavailable: 503,
  // These occur at the start, in the journal or in the client, never in an answer.
  log_mismatch: 500,
  log_newer: 500,
  replay_diverged: 500,
  log_in_use: 500,
  config_invalid: 500,
  nats_server_missing: 500,
  spawn_failed: 500,
  address_in_use: 500,
  unreachable: 500,
  internal: 500,
};

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds for `Retry-After`: a server that died is back within about two. */
const RETRY_AFTER_SECONDS = 2;

/** @param requestId names the request in the log, if the answer must not say what went wrong */
export function problemOf(error: SignalboxError, requestId: string): Problem {
  const { code } = error;
  const problem = {
    type: `urn:signalbox:error:${code}`,
    title: ERROR_CODES[code],
    status: STATUS_OF[code],
    code,
  };
  if (code === 'internal') {
    const detail = `see the log of Signalbox for request ${requestId}`;
    return { ...problem, detail, instance: `urn:signalbox:request:${requestId}` };
  }
  const { errors, ...details } = error.details as { readonly errors?: FieldError[] };
  return {
    ...problem,
    detail: error.message,
    details: Object.keys(details).length > 0 ? details : undefined,
    errors,
  };
}

/** The headers that belong to a problem. */
export function problemHeaders({ status, details }: Problem): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="signalbox"';
  if (status === 503) headers['retry-after'] = String(RETRY_AFTER_SECONDS);
  if (status === 429) headers['retry-after'] = String(details?.retry_after_seconds ?? 1);
  return headers;
}

/** From the check of host and origin to a log that does not answer. */
const ALWAYS: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'rate_limited',
  'internal',
  'log_unavailable',
  'shutting_down',
];

/** The errors of every operation that commits an event. */
export const COMMITS: readonly ErrorCode[] = [
  'illegal_transition',
  'task_archived',
  'body_too_large',
  'overloaded',
  'log_fenced',
  'log_corrupt',
];

/** Every code that this operation may answer with, each once. */
export function errorsOf({ http, access, invalidBody, errors = [] }: Operation): readonly ErrorCode[] {
  const codes: ErrorCode[] = [...ALWAYS];
  if (access !== 'public') codes.push('unauthorized');
  if (http.path.includes('{')) codes.push('invalid_id');
  if (http.method !== 'GET') codes.push('body_too_large', 'unsupported_media_type');
  if (invalidBody !== undefined) codes.push(invalidBody);
  return [...new Set([...codes, ...errors])];
}

/** The error of an answer that did not come in time. */
export function lateError(method: string, limitMs: number): SignalboxError {
  const what = `the event log has not answered within ${limitMs / 1_000} seconds`;
  if (method === 'GET') return new SignalboxError('log_unavailable', `${what}: try again in a moment`);
  return new SignalboxError(
    'log_unavailable',
    `${what}: the outcome is unknown. Read the task before you repeat this; a creation with the same id or idempotency key may be repeated safely, nothing is created twice`,
    { details: { outcome: 'unknown' } },
  );
}
