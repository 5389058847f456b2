/** MCP over HTTP. A client with the caller's token serves each request, so a tool has the caller's rights and no more. */
import type { IncomingTrace } from '../../base/trace-context.ts';
import { SignalboxClient } from '../client.ts';
import { WaitingCalls } from './cancellation.ts';

/** The caller, as far as HTTP knows it. */
export interface McpCaller {
  readonly token: string | null;
  readonly project: string;
  /** Of the attempt that the token belongs to. */
  readonly task: string | undefined;
  /** Without `user:`; absent for an attempt. */
  readonly person: string | undefined;
  readonly trace: IncomingTrace;
}

export type McpHandler = (request: Request, body: unknown, caller: McpCaller) => Promise<Response>;

/** @param url of this Signalbox */
export function mcpOverHttp(url: () => string): McpHandler {
  const calls = new WaitingCalls();
  return async (request, parsedBody, { token, project, task, person, trace }) => {
    // Loaded by the first request: the library takes a tenth of the start, and many never use MCP.
    const [{ createMcpHandler }, { createMcpServer }] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('./server.ts'),
    ]);
    const client = new SignalboxClient({ url: url(), token: token ?? undefined, cacheSize: 1, trace });
    const identity = { project, task, author: person, cwd: undefined };
    const waiting = { calls, caller: token ?? '' };
    const handler = createMcpHandler(() =>
      createMcpServer({ client, identity, gone: request.signal, waiting }),
    );
    return handler.fetch(request, { parsedBody });
  };
}
