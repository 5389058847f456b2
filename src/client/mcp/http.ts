/** MCP over HTTP. Each request is served on its own, by the client with the caller's token: nobody gains anything by it. */

import type { IncomingTrace } from '../../base/trace-context.ts';
import { SignalboxClient } from '../client.ts';

/** Who asks, as far as HTTP knows it. */
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

/** @param url where this Signalbox listens */
export function mcpOverHttp(url: () => string): McpHandler {
  return async (request, parsedBody, { token, project, task, person, trace }) => {
    // Loaded by the first request: the protocol's library takes a tenth of a start, and many never ask for it.
    const [{ createMcpHandler }, { createMcpServer }] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('./server.ts'),
    ]);
    const client = new SignalboxClient({ url: url(), token: token ?? undefined, cacheSize: 1, trace });
    const identity = { project, task, author: person, cwd: undefined };
    const handler = createMcpHandler(() => createMcpServer({ client, identity }));
    return handler.fetch(request, { parsedBody });
  };
}
