/** Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body. */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** The key that a secret stands for: base64 after "whsec_", else the text as it is. */
export function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
}

/** @param timestamp Unix time in seconds: a receiver refuses what is old, so that nothing can be sent again later */
export function signedHeaders(
  key: Buffer,
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}
