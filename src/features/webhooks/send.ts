/** One try to hand an event to a receiver. */

import type { FeedEvent } from '../../app/events/event-feed.ts';
import { messageOf } from '../../contracts/errors.ts';
import { signedHeaders } from './signature.ts';

export interface Receiver {
  readonly url: string;
  readonly key: Buffer;
  readonly timeoutMs: number;
}

export type Sent = { readonly ok: true } | { readonly ok: false; readonly error: string };

/**
 * The id is the event's own, whenever it is sent: a receiver that gets it twice knows it by that.
 * @param traceparent of the task that it is about; null where there is none
 * @param nowMs epoch milliseconds
 */
export async function sendEvent(
  { url, key, timeoutMs }: Receiver,
  { id, json }: FeedEvent,
  traceparent: string | null,
  nowMs: number,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...signedHeaders(key, id, Math.floor(nowMs / 1_000), json),
        ...(traceparent === null ? {} : { traceparent }),
      },
      body: json,
      // Where it would go is not where the operator wants it: an inner service of this network, perhaps.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return { ok: true };
    const isRedirect = response.status >= 300 && response.status < 400;
    const why = isRedirect ? ', a redirect, which is not followed' : '';
    return { ok: false, error: `the receiver answered ${response.status}${why}` };
  } catch (error) {
    return { ok: false, error: reasonOf(error, timeoutMs) };
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `the receiver did not answer within ${timeoutMs / 1_000} seconds`;
  }
  // `fetch` says only that it failed; the reason is the cause of its error.
  const cause = error instanceof Error ? error.cause : undefined;
  return `the receiver cannot be reached: ${messageOf(cause ?? error)}`;
}
