/** Bodies: JSON in UTF-8 and nothing else. */
import type { FastifyInstance } from 'fastify';
import { messageOf, SignalboxError } from '../contracts/errors.ts';

/** Levels of lists and objects. Whoever walks a value in depth relies on a limit: the stack has one. */
const MAX_DEPTH = 64;

/** Without any other parser, every other media type is refused (415): a form of a foreign page among them. */
export function takeOnlyJson(http: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const parseJson = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch (cause) {
      return done(new SignalboxError('invalid_request', 'body: it is not UTF-8', { cause }));
    }
    // Many clients name the media type of a body that they do not send.
    if (text === '') return done(null, undefined);
    parseJson(request, text, (refused, value) => {
      if (refused) return done(faultIn(text));
      done(isDeeperThan(MAX_DEPTH, value) ? tooDeep() : null, value);
    });
  });
}

/** The parser refuses without saying why. */
function faultIn(text: string): SignalboxError {
  try {
    JSON.parse(text);
  } catch (cause) {
    return new SignalboxError('invalid_request', `body: it is not JSON: ${messageOf(cause)}`, { cause });
  }
  return new SignalboxError(
    'invalid_request',
    'body: it has a key "__proto__" or "constructor", which is not taken',
  );
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function tooDeep(): SignalboxError {
  return new SignalboxError('invalid_request', `body: it is nested deeper than ${MAX_DEPTH} levels`);
}
