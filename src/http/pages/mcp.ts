/** MCP at one address, beside the operations: its answers have the form of its own protocol. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AttemptPrincipal, principalOf } from '../../app/agents/agent-messages.ts';
import type { AppContext } from '../../app/context.ts';
import type { McpHandler } from '../../client/mcp/http.ts';
import { projectId } from '../../contracts/ids.ts';
import { type Caller, type Gatekeeper, tokenOf } from '../../operations/access/access.ts';
import { traceIn } from '../../operations/headers.ts';

export const MCP_PATH = '/mcp';
const DEFAULT_PROJECT = 'default';

/** @param takeTurn counts the request of a client. @throws SignalboxError `rate_limited` */
export function serveMcp(
  http: FastifyInstance,
  app: AppContext,
  mcp: McpHandler,
  { gatekeeper, takeTurn }: { readonly gatekeeper: Gatekeeper; readonly takeTurn: (client: string) => void },
): void {
  const callers = new WeakMap<
    FastifyRequest,
    { readonly speaker: AttemptPrincipal | null; readonly caller: Caller }
  >();
  http.post<{ Querystring: { readonly project?: string } }>(MCP_PATH, {
    config: { operation: 'mcp' },
    // Before a body is read, as for operations. What a tool may do is decided by what it asks for.
    onRequest: async (request) => {
      takeTurn(request.ip);
      const token = tokenOf(request.headers.authorization);
      const speaker = token === null ? null : principalOf(app, token, {});
      const target = { access: 'read', project: speaker?.project } as const;
      callers.set(request, { speaker, caller: gatekeeper.admit(target, request.headers.authorization) });
    },
    handler: async (request, reply) => {
      const { speaker, caller } = callers.get(request) ?? { speaker: null, caller: null };
      const { project = DEFAULT_PROJECT } = request.query;
      const response = await mcp(webRequest(request), request.body, {
        token: tokenOf(request.headers.authorization),
        project: speaker?.project ?? projectId(project),
        task: speaker?.task,
        person: speaker ? undefined : caller?.actor.replace(/^user:/, ''),
        trace: traceIn(request.headers),
      });
      return reply.send(response);
    },
  });
}

/** Its body was read already, and is handed over as it was understood. */
function webRequest({ headers, method, url, host }: FastifyRequest): Request {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name !== 'content-length') fields.set(name, [value].flat().join(', '));
  }
  return new Request(new URL(url, `http://${host}`), { method, headers: fields });
}
