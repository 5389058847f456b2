/**
 * All error codes. A code is stable: clients, logs and tests match on it, never on the text. HTTP statuses are in
 * `operations/`, exit codes in `cli/`.
 */
export const ERROR_CODES = {
  invalid_request: 'The request does not have the form that this operation expects.',
  invalid_task: 'Valid JSON, but not a valid task (plain job API).',
  invalid_id: 'An id has 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-".',
  body_too_large: 'The body is larger than the limit.',
  unsupported_media_type: 'The body is not JSON.',
  not_found: 'There is no such resource.',
  method_not_allowed: 'The resource does not support this method.',
  task_not_found: 'The project has no task with this id.',
  agent_not_found: 'No agent has this id.',
  queue_not_found: 'No agent has this queue, and no task waits in it.',
  schedule_not_found: 'There is no schedule with this id.',
  template_not_found: 'The configuration has no template with this id.',
  budget_not_found: 'There is no budget with this id.',
  schedule_exists: 'A schedule with this id exists already, with different content.',
  workspace_not_found: 'The task has no workspace.',
  workspace_in_use: 'The task of the workspace is not settled, or an agent works in it.',
  workspace_has_work: 'The workspace has work that is nowhere else.',
  diff_not_found: 'The task has no diff.',
  task_exists: 'A task with this id exists already, with different content.',
  idempotency_conflict: 'This idempotency key was used before, with different content.',
  task_archived: 'The task has left memory: it can be read, but not changed.',
  illegal_transition: 'The task cannot make this transition from its present state.',
  not_editable: 'The task does not wait any more: an attempt works on it, or it has a result.',
  output_required: 'A review needs at least one output.',
  background_off: 'Background commands are not enabled in the configuration.',
  stale_attempt: 'The message is from an attempt that is no longer open.',
  question_not_found: 'The task has no question with this id.',
  question_exists: 'The task has a question with this id already, with different content.',
  question_answered: 'The question has an answer already: the first one counts.',
  question_too_large: 'The question is larger than the limit.',
  too_many_questions: 'The attempt has as many open questions as it may have, or the task as many questions.',
  option_not_offered: 'The question does not offer this option.',
  answer_invalid: 'The answer does not fit the question.',
  answer_too_large: 'The answer is larger than the limit.',
  own_question: 'An attempt cannot answer its own question.',
  link_invalid: 'The answer link is not valid.',
  link_used: 'The answer link was used, or its question was answered in another way.',
  link_expired: 'The answer link has expired.',
  rule_not_found: 'There is no recorded rule with this id.',
  too_many_messages: 'Too many messages to the agent of this task wait for their delivery.',
  unauthorized: 'The credentials are missing or not valid.',
  forbidden: 'The credentials, the host or the origin of the request do not allow this.',
  rate_limited: 'This client sends requests more often than the limit.',
  overloaded: 'More work is queued than the configured limit.',
  log_unavailable: 'The event log cannot be written at the moment.',
  shutting_down: 'Signalbox is shutting down and takes no new work.',
  log_fenced: 'Another writer took over the event log.',
  log_mismatch: 'The event log is not the one that this data directory belongs to.',
  log_corrupt: 'The event log is damaged: events are missing, or Signalbox did not write them.',
  log_newer: 'The event log was written by a newer version of Signalbox.',
  replay_diverged: 'Replaying a recorded event gives a different result.',
  no_such_moment: 'The event log has no event at or before this moment.',
  past_pending: 'The past is still being read from the log: try again.',
  log_in_use: 'Another Signalbox is the writer of this log.',
  config_invalid: 'The configuration is not valid.',
  nats_unavailable: 'The NATS server cannot be reached or started.',
  nats_server_missing: 'No nats-server program was found, and none could be downloaded.',
  spawn_failed: 'The agent could not be started.',
  content_unreadable: 'The file at content_path cannot be read.',
  address_in_use: 'Another program uses the address.',
  unreachable: 'Signalbox cannot be reached.',
  internal: 'An unexpected error in Signalbox.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts beside the text, for problem details and logs. They are never parsed from the message. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Every error of Signalbox. `message` says what happened, to what, and what to do. */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export { hasCode, messageOf } from '../base/errors.ts';

/** For the default of a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never, caller: string): never {
  throw new SignalboxError('internal', `${caller}: unexpected ${JSON.stringify(value)}`);
}
