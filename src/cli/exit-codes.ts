/** Exit codes. Programs may rely on them; `signalbox help exit-codes` lists them. */
import type { ErrorCode } from '../contracts/errors.ts';

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'success' },
  failure: {
    code: 1,
    meaning:
      'failure; for "--wait" and "watch": the task ended but is not done; for "audit": verification found problems',
  },
  usage: { code: 2, meaning: 'the command line, the input or the configuration is not valid' },
  not_found: { code: 3, meaning: 'the task, agent, queue, question, event or moment does not exist' },
  conflict: {
    code: 4,
    meaning: 'conflict with the current state: status of the task, id, port, or log in use',
  },
  unavailable: {
    code: 5,
    meaning: 'Signalbox, its event log or NATS is unreachable or overloaded: try again later',
  },
  diverged: { code: 6, meaning: 'replay differs from the recorded or live state' },
  interrupted: { code: 130, meaning: 'interrupted (Ctrl-C)' },
} as const;

export type ExitName = keyof typeof EXIT_CODES;

/** Exhaustive: a new error code does not compile without an exit code. */
const EXIT_OF: Readonly<Record<ErrorCode, ExitName>> = {
  invalid_request: 'usage',
  invalid_task: 'usage',
  invalid_id: 'usage',
  body_too_large: 'usage',
  question_too_large: 'usage',
  option_not_offered: 'usage',
  answer_invalid: 'usage',
  answer_too_large: 'usage',
  content_unreadable: 'usage',
  config_invalid: 'usage',
  not_found: 'not_found',
  task_not_found: 'not_found',
  agent_not_found: 'not_found',
  queue_not_found: 'not_found',
  question_not_found: 'not_found',
  rule_not_found: 'not_found',
  no_such_moment: 'not_found',
  schedule_not_found: 'not_found',
  workspace_not_found: 'not_found',
  diff_not_found: 'not_found',
  template_not_found: 'not_found',
  budget_not_found: 'not_found',
  schedule_exists: 'conflict',
  task_exists: 'conflict',
  question_exists: 'conflict',
  question_answered: 'conflict',
  too_many_questions: 'conflict',
  too_many_messages: 'conflict',
  link_used: 'conflict',
  link_expired: 'conflict',
  idempotency_conflict: 'conflict',
  illegal_transition: 'conflict',
  task_archived: 'conflict',
  output_required: 'conflict',
  not_editable: 'conflict',
  background_off: 'conflict',
  workspace_in_use: 'conflict',
  workspace_has_work: 'conflict',
  stale_attempt: 'conflict',
  log_in_use: 'conflict',
  address_in_use: 'conflict',
  rate_limited: 'unavailable',
  overloaded: 'unavailable',
  log_unavailable: 'unavailable',
  past_pending: 'unavailable',
  shutting_down: 'unavailable',
  log_fenced: 'unavailable',
  nats_unavailable: 'unavailable',
  nats_server_missing: 'unavailable',
  unreachable: 'unavailable',
  method_not_allowed: 'failure',
  unsupported_media_type: 'failure',
  unauthorized: 'failure',
  forbidden: 'failure',
  own_question: 'failure',
  link_invalid: 'failure',
  log_mismatch: 'failure',
  log_corrupt: 'failure',
  log_newer: 'failure',
  replay_diverged: 'diverged',
  spawn_failed: 'failure',
  internal: 'failure',
};

export function exitCodeOf(code: ErrorCode): number {
  return EXIT_CODES[EXIT_OF[code]].code;
}
