/**
 * Errors as RFC 9457 problem details.
 *
 * P1 Every answer that is not a success is a problem with a code of the one table, whoever refused the request.
 * P2 What Signalbox did not expect is logged in full and answered without its text.
 */
import type { FieldError, Problem } from '../contracts/api/answers.ts';
import { ERROR_CODES, type SignalboxError } from '../contracts/errors.ts';
import { STATUS_OF } from './status-codes.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds after which it makes sense to ask again: a server that died is back within about two. */
const RETRY_AFTER_SECONDS = 2;

/** @param requestId names the request in the log, where the answer must not say what went wrong */
export function problemOf(error: SignalboxError, requestId: string): Problem {
  const { code } = error;
  const problem = {
    type: `urn:signalbox:error:${code}`,
    title: ERROR_CODES[code],
    status: STATUS_OF[code],
    code,
  };
  if (code === 'internal') {
    const detail = `the log of Signalbox says more, at the request ${requestId}`;
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
