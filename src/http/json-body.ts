/** Request bodies: JSON in UTF-8. */
import type { FastifyInstance } from 'fastify';
import { messageOf, SignalboxError } from '../contracts/errors.ts';

/** Levels of lists and objects: code that walks a value recursively relies on a limit. */
const MAX_DEPTH = 64;

/** Every other media type is refused (415), including a form of a foreign page. */
export function acceptOnlyJson(http: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const parseJson = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch (cause) {
      return done(new SignalboxError('invalid_request', 'body: not UTF-8', { cause }));
    }
    // Many clients send the media type without a body.
    if (text === '') return done(null, undefined);
    parseJson(request, text, (refused, value) => {
      if (refused) return done(faultIn(text));
      done(isDeeperThan(MAX_DEPTH, value) ? tooDeep() : null, value);
    });
  });
}

/** The parser does not say why it refuses. */
function faultIn(text: string): SignalboxError {
  try {
    JSON.parse(text);
  } catch (cause) {
    return new SignalboxError('invalid_request', `body: not JSON: ${messageOf(cause)}`, { cause });
  }
  return new SignalboxError(
    'invalid_request',
    'body: the keys "__proto__" and "constructor" are not allowed',
  );
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function tooDeep(): SignalboxError {
  return new SignalboxError('invalid_request', `body: nested deeper than ${MAX_DEPTH} levels`);
}
