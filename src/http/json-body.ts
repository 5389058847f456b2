/** Request bodies: JSON in UTF-8. */
import type { FastifyInstance } from 'fastify';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { faultOf } from '../operations/parse.ts';

/** Every other media type is refused (415), including a form of a foreign page. */
export function acceptOnlyJson(http: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const parseJson = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (encoding.toLowerCase() !== 'identity') return done(encoded(encoding));
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
      done(faultOf(text, value, 'body'), value);
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

function encoded(encoding: string): SignalboxError {
  return new SignalboxError(
    'unsupported_media_type',
    `body: the encoding ${JSON.stringify(encoding.slice(0, 80))} (Content-Encoding) is not supported: send the JSON as it is`,
  );
}
