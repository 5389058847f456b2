/** Errors as HTTP answers: problem details, also for what the server itself refuses. */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { problemHeaders, problemOf } from '../operations/errors.ts';
import { loggedRequest } from './logged-request.ts';

/** Answers an error of a handler, a hook or the server itself. */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = explain(thrown);
  if (error.code === 'internal') {
    const facts = { err: thrown, ...loggedRequest(request) };
    request.log.error(facts, `a request failed unexpectedly: ${messageOf(thrown)}`);
  }
  const problem = problemOf(error, request.id);
  // The server would close the connection after an unread body, and a client that is still sending would not get the
  // answer. So the rest is read and discarded, up to the request's time limit.
  reply.removeHeader('connection');
  return reply
    .code(problem.status)
    .headers(problemHeaders(problem))
    .send(Buffer.from(JSON.stringify(problem)));
}

export function answerNotFound(request: FastifyRequest): never {
  throw new SignalboxError('not_found', `there is no ${request.method} ${pathOf(request.url)}`);
}

/** Answers a request that is not HTTP, or incomplete. */
export function answerClientError(this: FastifyInstance, thrown: Error, socket: Socket): void {
  if (socket.writable) {
    const isTooLarge = 'code' in thrown && thrown.code === 'HPE_HEADER_OVERFLOW';
    const what = isTooLarge
      ? 'the header fields of the request are too large: send less than 16 kB'
      : `the request cannot be read as HTTP: ${thrown.message}`;
    const [status, reason] = isTooLarge ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
    const problem = { ...problemOf(new SignalboxError('invalid_request', what), ''), status };
    const body = JSON.stringify(problem);
    const headers = {
      ...problemHeaders(problem),
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${body}`);
  }
  this.log.debug({ err: thrown }, 'could not read a request');
  socket.destroy();
}

/** An error of a handler, a hook or the server itself, in its words. */
export function explain(thrown: unknown): SignalboxError {
  if (thrown instanceof SignalboxError) return thrown;
  const { code, statusCode } = factsOf(thrown);
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new SignalboxError(
        'body_too_large',
        'body: larger than the limit (server.max_body_bytes): pass large content as "content_path"',
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new SignalboxError(
        'unsupported_media_type',
        'body: send JSON, with the header "Content-Type: application/json"',
      );
    default:
      // Other errors of the server: a path that cannot be decoded, a body shorter than announced.
      return statusCode >= 400 && statusCode < 500
        ? new SignalboxError('invalid_request', messageOf(thrown))
        : new SignalboxError('internal', messageOf(thrown), { cause: thrown });
  }
}

function factsOf(thrown: unknown): { code: unknown; statusCode: number } {
  if (typeof thrown !== 'object' || thrown === null) return { code: undefined, statusCode: 0 };
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  return { code, statusCode: typeof statusCode === 'number' ? statusCode : 0 };
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
