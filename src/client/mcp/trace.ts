/** Where in a trace a call of a tool stands, if its client says so. */
import { type ServerContext, TRACEPARENT_META_KEY, TRACESTATE_META_KEY } from '@modelcontextprotocol/server';
import { type IncomingTrace, incomingTrace } from '../../base/trace-context.ts';

/** Nearer to the call than what the client's connection or environment says, and so before it. */
export function traceOfCall({ mcpReq }: Pick<ServerContext, 'mcpReq'>): IncomingTrace {
  const meta: Readonly<Record<string, unknown>> = mcpReq._meta ?? {};
  return incomingTrace(meta[TRACEPARENT_META_KEY], meta[TRACESTATE_META_KEY]);
}
