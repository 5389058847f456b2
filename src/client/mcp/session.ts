/** What the tools share: the caller's identity, their results, and the trace of a call. */
import {
  type CallToolResult,
  type McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
  type ToolAnnotations,
  TRACEPARENT_META_KEY,
  TRACESTATE_META_KEY,
} from '@modelcontextprotocol/server';
import { type IncomingTrace, incomingTrace } from '../../base/trace-context.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { SignalboxClient } from '../client.ts';

/** The identity of the tools is never an argument, since a model must not choose it. */
export interface McpIdentity {
  readonly project: string;
  /** The task that the agent works on; absent for a person's session. */
  readonly task: string | undefined;
  /** The author of comments without an attempt. */
  readonly author: string | undefined;
  /** Default directory of commands; if absent, each command gets a directory of its own. */
  readonly cwd: string | undefined;
}

export interface McpSession {
  readonly client: SignalboxClient;
  readonly identity: McpIdentity;
}

interface Tool<Input> {
  readonly description: string;
  readonly input: StandardSchemaWithJSON<unknown, Input>;
  readonly annotations: ToolAnnotations;
  /** The project comes from the session, never from the model. */
  readonly run: (input: Input, trace: IncomingTrace, context: ServerContext) => Promise<object>;
}

export const READS = { readOnlyHint: true, openWorldHint: false } as const;
export const WRITES = { readOnlyHint: false, destructiveHint: false, openWorldHint: false } as const;

export function addTool<Input>(
  server: McpServer,
  name: string,
  { description, input, annotations, run }: Tool<Input>,
): void {
  server.registerTool(name, { description, inputSchema: input, annotations }, (args, context) =>
    resultOf(() => run(args, traceOfCall(context), context)),
  );
}

/** The result of a tool: the same JSON as structure and as text, or an error that a model can act upon. Never throws. */
async function resultOf(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    const structuredContent = { ...(await work()) };
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
  } catch (error) {
    return { isError: true, content: [{ type: 'text', text: JSON.stringify(errorJson(error)) }] };
  }
}

/** With the stable code, and the status of the task if that is the obstacle. */
function errorJson(error: unknown): object {
  if (!(error instanceof SignalboxError)) return { code: 'internal', message: messageOf(error) };
  const { code, message, details } = error;
  return { code, message, ...('status' in details && { status: details.status }), details };
}

/** The trace of a call, if the MCP client sends it; it goes before that of the connection or environment. */
function traceOfCall({ mcpReq }: Pick<ServerContext, 'mcpReq'>): IncomingTrace {
  const meta: Readonly<Record<string, unknown>> = mcpReq._meta ?? {};
  return incomingTrace(meta[TRACEPARENT_META_KEY], meta[TRACESTATE_META_KEY]);
}
