/** What the exit code of a command says. Programs may rely on it; the help of every command shows it. */
import type { ErrorCode } from '../contracts/errors.ts';

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  failure: {
    code: 1,
    meaning:
      'it failed; for "--wait" and "watch": the task ended, but not in done; for "audit": something is wrong',
  },
  usage: { code: 2, meaning: 'the command, its input or the configuration is not valid' },
  not_found: { code: 3, meaning: 'there is no such task, agent, queue, event or moment' },
  conflict: {
    code: 4,
    meaning: 'it clashes with what is there: the state of a task, an id, a port, a log in use',
  },
  unavailable: { code: 5, meaning: 'Signalbox, its log or NATS is not there or overloaded: try again later' },
  diverged: {
    code: 6,
    meaning: 'the recorded history leads elsewhere with this version, or not to what is live',
  },
  interrupted: { code: 130, meaning: 'interrupted (Ctrl-C)' },
} as const;

export type ExitName = keyof typeof EXIT_CODES;

/** Exhaustive: a new error does not compile before it has an exit code. */
const EXIT_OF: Readonly<Record<ErrorCode, ExitName>> = {
  invalid_request: 'usage',
  invalid_task: 'usage',
  invalid_id: 'usage',
  body_too_large: 'usage',
  content_unreadable: 'usage',
  config_invalid: 'usage',
  not_found: 'not_found',
  task_not_found: 'not_found',
  agent_not_found: 'not_found',
  queue_not_found: 'not_found',
  no_such_moment: 'not_found',
  task_exists: 'conflict',
  idempotency_conflict: 'conflict',
  illegal_transition: 'conflict',
  task_archived: 'conflict',
  output_required: 'conflict',
  background_off: 'conflict',
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

/** The table, for the help. */
export function exitCodesText(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
