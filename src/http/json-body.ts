/** Request bodies: JSON in UTF-8. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SignalboxError } from '../contracts/errors.ts';
import { parseJson } from '../operations/parse.ts';

/** Every other media type is refused (415), including a form of a foreign page. */
export function acceptOnlyJson(http: FastifyInstance): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      const { 'content-encoding': encoding = 'identity' } = request.headers;
      if (encoding.toLowerCase() !== 'identity') throw encoded(encoding);
      // Many clients send the media type without a body.
      return bytes.length === 0 ? undefined : parseJson(bytes, 'body');
    },
  );
}

function encoded(encoding: string): SignalboxError {
  return new SignalboxError(
    'unsupported_media_type',
    `body: the encoding ${JSON.stringify(encoding.slice(0, 80))} (Content-Encoding) is not supported: send the JSON as it is`,
  );
}
