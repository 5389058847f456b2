/** What the log of Signalbox says about a request: the only place that reads an address in order to log it. */
import type { FastifyRequest } from 'fastify';

/** The method and the address, without the secret of an answer link. */
export function loggedRequest({ method, url }: Pick<FastifyRequest, 'method' | 'url'>) {
  return { method, url: withoutSecret(url) };
}

function withoutSecret(url: string): string {
  // A target may be a whole address, with escapes in it.
  const at = decodedPath(url).indexOf('/api/answer-links/');
  return at < 0 ? url : '/api/answer-links/…';
}

function decodedPath(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
