/** Sends one event to a receiver, signed as in Standard Webhooks: HMAC-SHA256 over id, time and body. */
import { createHmac } from 'node:crypto';
import type { FeedEvent } from '../../app/events/event-feed.ts';
import { fetchFailure } from '../../base/errors.ts';
import { limitedSignal } from '../../base/time.ts';

export interface Receiver {
  readonly url: string;
  readonly key: Buffer;
  readonly timeoutMs: number;
}

export type Sent = { readonly ok: true } | { readonly ok: false; readonly error: string };

const SECRET_PREFIX = 'whsec_';

/** The key of a secret: base64 after "whsec_", otherwise the text itself. */
export function signingKeyOf(secret: string): Buffer {
  if (!secret.startsWith(SECRET_PREFIX)) return Buffer.from(secret);
  return Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
}

/**
 * Never rejects. An event keeps its id when it is sent again, so that the receiver recognises it.
 * @param traceparent of the task that the event is about
 * @param nowMs epoch milliseconds; a receiver rejects old requests, so that they cannot be replayed
 */
export async function sendEvent(
  { url, key, timeoutMs }: Receiver,
  { id, json }: Pick<FeedEvent, 'id' | 'json'>,
  traceparent: string | null,
  nowMs: number,
  signal: AbortSignal,
): Promise<Sent> {
  const timestamp = Math.floor(nowMs / 1_000);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${json}`).digest('base64');
  using limited = limitedSignal(signal, timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${signature}`,
        ...(traceparent !== null && { traceparent }),
      },
      body: json,
      // A redirect may lead to an internal service of this network.
      redirect: 'manual',
      signal: limited.signal,
    });
    await response.body?.cancel();
    if (response.ok) return { ok: true };
    const isRedirect = response.status >= 300 && response.status < 400;
    const why = isRedirect ? ', a redirect, which is not followed' : '';
    return { ok: false, error: `the receiver answered ${response.status}${why}` };
  } catch (error) {
    return { ok: false, error: `the receiver ${fetchFailure(error, timeoutMs)}` };
  }
}
