/** MCP over HTTP at one path, beside the operations: its answers follow the MCP protocol. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type AttemptPrincipal, principalOf } from '../../app/agents/agent-messages.ts';
import type { AppContext } from '../../app/context.ts';
import type { McpHandler } from '../../client/mcp/http.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { checkedProject } from '../../contracts/ids.ts';
import { type Caller, type Gatekeeper, tokenOf } from '../../operations/access/access.ts';
import { traceIn } from '../../operations/headers.ts';
import { parseQuery } from '../../operations/parse.ts';
import { answerError } from '../errors.ts';

export const MCP_PATH = '/mcp';
const querySchema = z.object({ project: z.string().default('default') });

/** @param takeTurn counts a request of a client; throws SignalboxError `rate_limited` */
export function serveMcp(
  http: FastifyInstance,
  app: AppContext,
  handle: McpHandler,
  { gatekeeper, takeTurn }: { readonly gatekeeper: Gatekeeper; readonly takeTurn: (client: string) => void },
): void {
  const callers = new WeakMap<
    FastifyRequest,
    { readonly principal: AttemptPrincipal | null; readonly caller: Caller }
  >();
  http.post(MCP_PATH, {
    config: { operation: 'mcp' },
    // Before the body is read, as for operations. What a tool may do is decided by the operation that it calls.
    onRequest: async (request) => {
      takeTurn(request.ip);
      const token = tokenOf(request.headers.authorization);
      const principal = token === null ? null : principalOf(app, token, {});
      const target = { access: 'read', project: principal?.project } as const;
      callers.set(request, { principal, caller: gatekeeper.admit(target, request.headers.authorization) });
    },
    errorHandler: answerParseError,
    handler: async (request, reply) => {
      const { principal, caller } = callers.get(request) ?? { principal: null, caller: null };
      const { project } = parseQuery(querySchema, request.query);
      const gone = new AbortController();
      // A tool that waits ends with its connection.
      reply.raw.once('close', () => gone.abort());
      const response = await handle(webRequest(request, gone.signal), request.body, {
        token: tokenOf(request.headers.authorization),
        project: principal?.project ?? checkedProject(project),
        task: principal?.task,
        person: principal ? undefined : caller?.actor.replace(/^user:/, ''),
        trace: traceIn(request.headers),
      });
      return reply.send(response);
    },
  });
}

const PARSE_ERROR = -32_700;

/** A body that cannot be read is answered as JSON-RPC, other errors as everywhere. */
function answerParseError(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (
    !(thrown instanceof SignalboxError) ||
    thrown.code !== 'invalid_request' ||
    !thrown.message.startsWith('body: ')
  ) {
    return answerError(thrown, request, reply);
  }
  const error = { code: PARSE_ERROR, message: `Parse error: ${thrown.message}` };
  return reply.code(400).send({ jsonrpc: '2.0', id: null, error });
}

/** Whether a client takes every media type that MCP answers with. */
function acceptsAll(accept: string | undefined): boolean {
  const ranges = (accept ?? '*/*').split(',').map((range) => range.split(';', 1)[0]?.trim().toLowerCase());
  const takes = (type: string): boolean =>
    ranges.some((range) => range === '*/*' || range === type || range === type.replace(/\/.*/, '/*'));
  return takes('application/json') && takes('text/event-stream');
}

function isInitialize(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === 'initialize';
}

/** Without the body, which is passed parsed. */
function webRequest({ headers, method, url, host, body }: FastifyRequest, signal: AbortSignal): Request {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name !== 'content-length') fields.set(name, [value].flat().join(', '));
  }
  // The library looks for the names of both media types.
  if (acceptsAll(headers.accept)) fields.set('accept', 'application/json, text/event-stream');
  // A client that initializes negotiates in the body; what it sent in the header is no version of a session yet.
  if (isInitialize(body)) fields.delete('mcp-protocol-version');
  return new Request(new URL(url, `http://${host}`), { method, headers: fields, signal });
}
